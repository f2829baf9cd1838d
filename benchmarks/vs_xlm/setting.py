"""What both systems are given."""

METHODS = ("arlm", "mlm", "ilm")
WIDTH, LAYERS, HEADS, DROPOUT, BATCH = 128, 4, 4, 0.1, 64
STEPS, WARM, EVERY = 60, 20, 10  # training steps of a round; unmeasured ones; steps of a window
TOKENS, VOCABULARY = 128, 30_524  # of a row of text: bert-base-uncased's pieces, BOS and EOS
PROMPT, ANSWER = 26, 8  # tokens of star_easy with edges: 12 edges, source, goal; 4 edges

SHIPPED = dict.fromkeys(METHODS, (28, 14))  # input_block_size, block_size of its experiments
TIGHT = {  # the least that train on star_easy; ARLM's BOS counts with the prompt
    "arlm": (PROMPT + 1, ANSWER + 1),
    "mlm": (PROMPT, 1 + ANSWER + 1),  # BOS, EOS
    "ilm": (1 + PROMPT, 1 + ANSWER),  # CLS; BOS
}
ROOM = {  # the least that sample, and as much room for the answer as ours has
    "arlm": (PROMPT + 1, ANSWER + 1),
    "mlm": (PROMPT + 1, ANSWER + 1),
    "ilm": (1 + PROMPT + 1, ANSWER),
}
