"""Bodies are what they were when programmes were tuned on them."""

from simulators.patients.frozen import cohort_digest, parameters_digest

PARAMETERS_DIGEST = "3ca63d5cf3b42a0503d855f7ef20b33075a15d2951e4e2b8e7973cc8a40024fd"
COHORT_DIGEST = "a542804c625343f67432528b9ffbccd9c14dad13e710f138fc5847a68aaf84a5"
AGAIN = (
    "Simulated bodies are not what they were when programmes were tuned on them. If that is meant: see that "
    "`python -m benchmarks.clinical calibration` still holds, commit the new sums, and in later commits tune "
    "the programmes again, on seeds 1 to 20, and report them on seeds 101 to 120."
)


def test_no_number_has_changed() -> None:
    assert parameters_digest() == PARAMETERS_DIGEST, AGAIN


def test_bodies_and_labels_are_the_same_on_every_machine() -> None:
    assert cohort_digest() == COHORT_DIGEST, AGAIN
