"""What people write beside a score: most write nothing, some a word, a few a whole paragraph."""

from random import Random

_GOOD: dict[str, tuple[str, ...]] = {
    "en": (
        "Great.",
        "Quick and friendly.",
        "Does what it should.",
        "Saves us an hour a day.",
        "Solved within the hour, thank you!",
        "The new reports are exactly what our management asked for.",
        "We moved the whole team over in a week and nobody wants to go back.",
        "The person who helped us knew the product inside out and stayed on the line until the import had gone through.",
    ),
    "vi": (
        "Tốt.",
        "Rất hài lòng.",
        "Nhanh và thân thiện.",
        "Phần mềm dễ dùng, cả nhóm đều thích.",
        "Nhân viên hỗ trợ trả lời rất nhanh và giải thích từng bước rõ ràng.",
    ),
}
_BAD: dict[str, tuple[str, ...]] = {
    "en": (
        "Slow.",
        "Still not solved.",
        "Took far too long.",
        "We expected more for the price.",
        "I had to explain the same thing to three people.",
        "The export breaks with every second file and nobody can tell us why.",
        "Since the last update the workflows stop without a word, and we only notice when our own customers call.",
        "We were promised an integration that works from the first day; two months later we still type everything in by hand.",
    ),
    "vi": (
        "Quá chậm.",
        "Vẫn chưa được giải quyết.",
        "Giá cao hơn so với những gì nhận được.",
        "Tôi phải giải thích cùng một vấn đề cho ba người khác nhau.",
        "Sau lần cập nhật mới nhất, quy trình thường xuyên dừng lại mà không có thông báo nào.",
    ),
}
_SECOND_SENTENCE_SHARE = 0.2


def comment(rng: Random, locale: str, *, good: bool) -> str:
    """A comment in the language of the respondent, of one sentence or two."""
    texts = (_GOOD if good else _BAD)[locale]
    first = rng.choice(texts)
    second = rng.choice(texts)
    return f"{first} {second}" if second != first and rng.random() < _SECOND_SENTENCE_SHARE else first
