"""The law of `stratified`: each of equal parts of time contains one time of the global batch."""

STRATA = True
