"""The wording of the surveys when a business has none of its own, in English and Vietnamese.

On a scale of two answers the good one comes first; on any other there are the words for its two ends, the lowest first.
"""

from typing import Final

from msgspec import Struct

from schemas.events import Survey


class Wording(Struct, frozen=True):
    """A question in one language, and the answers as the respondent reads them."""

    question: str
    answers: tuple[str, ...]


_SATISFIED_EN: Final = ("Good, I'm satisfied", "Bad, I am not satisfied")
_SATISFIED_VI: Final = ("Tốt, tôi hài lòng", "Tệ, tôi không hài lòng")

_CSAT_EN: Final = "How was the experience you have just had with us?"
_CSAT_VI: Final = "Bạn thấy trải nghiệm vừa rồi với chúng tôi thế nào?"
_PRODUCT_EN: Final = "How do you rate our product as a whole?"
_PRODUCT_VI: Final = "Nhìn chung, bạn đánh giá sản phẩm của chúng tôi thế nào?"

OF_TWO_ANSWERS: Final[dict[Survey, dict[str, Wording]]] = {
    "csat": {"en": Wording(_CSAT_EN, _SATISFIED_EN), "vi": Wording(_CSAT_VI, _SATISFIED_VI)},
    "product": {"en": Wording(_PRODUCT_EN, _SATISFIED_EN), "vi": Wording(_PRODUCT_VI, _SATISFIED_VI)},
}
"""The wording on the scale good_bad."""

OF_A_RANGE: Final[dict[Survey, dict[str, Wording]]] = {
    "csat": {
        "en": Wording(_CSAT_EN, ("Very bad", "Very good")),
        "vi": Wording(_CSAT_VI, ("Rất tệ", "Rất tốt")),
    },
    "nps": {
        "en": Wording("How likely are you to recommend us to a friend or colleague?", ("Not at all likely", "Extremely likely")),
        "vi": Wording(
            "Khả năng bạn giới thiệu chúng tôi cho bạn bè hoặc đồng nghiệp là bao nhiêu?", ("Chắc chắn không", "Chắc chắn có")
        ),
    },
    "ces": {
        "en": Wording("How easy was it to get what you needed?", ("Very difficult", "Very easy")),
        "vi": Wording("Bạn thấy dễ hay khó để có được điều mình cần?", ("Rất khó", "Rất dễ")),
    },
    "product": {
        "en": Wording(_PRODUCT_EN, ("Very bad", "Very good")),
        "vi": Wording(_PRODUCT_VI, ("Rất tệ", "Rất tốt")),
    },
}
"""The wording on any other scale."""
