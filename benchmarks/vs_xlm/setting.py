"""The sizes of both systems."""

METHODS = ("arlm", "mlm", "ilm")
WIDTH, LAYERS, HEADS, DROPOUT, BATCH = 128, 4, 4, 0.1, 64
STEPS, WARM, EVERY = 60, 20, 10  # training steps per round, warm-up steps, steps per window
TOKENS, VOCABULARY = 128, 30_524  # of a text sequence: bert-base-uncased with BOS and EOS
PROMPT, ANSWER = 26, 8  # tokens of star_easy with edges: 12 edges, source, goal; 4 edges

SHIPPED = dict.fromkeys(METHODS, (28, 14))  # input_block_size, block_size of its experiments
TIGHT = {  # minimum lengths for training on star_easy; the BOS of ARLM is in the prompt
    "arlm": (PROMPT + 1, ANSWER + 1),
    "mlm": (PROMPT, 1 + ANSWER + 1),  # BOS, EOS
    "ilm": (1 + PROMPT, 1 + ANSWER),  # CLS; BOS
}
MINIMUM = {  # minimum lengths for sampling, with the same answer length as ours
    "arlm": (PROMPT + 1, ANSWER + 1),
    "mlm": (PROMPT + 1, ANSWER + 1),
    "ilm": (1 + PROMPT + 1, ANSWER),
}
