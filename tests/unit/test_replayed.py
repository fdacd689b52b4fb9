"""The letters that a customer remembers."""

from processors.replayed import MAX_LETTERS, ReplayedLetters


def test_a_letter_is_remembered_and_no_other_one() -> None:
    letters = ReplayedLetters()
    assert not letters.contains(b"one")
    assert letters.remember(b"one") is False
    assert letters.contains(b"one")
    assert not letters.contains(b"two")


def test_beyond_256_the_oldest_is_forgotten_and_it_is_said() -> None:
    letters = ReplayedLetters()
    forgotten = [letters.remember(str(number).encode()) for number in range(MAX_LETTERS + 2)]
    assert forgotten == [False] * MAX_LETTERS + [True, True]
    assert [letters.contains(str(number).encode()) for number in (0, 1, 2, MAX_LETTERS + 1)] == [False, False, True, True]
