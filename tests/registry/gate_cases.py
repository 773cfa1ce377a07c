"""Comparisons of a candidate with its champion, and the promotion gate's verdicts."""

from typing import Any

from api.core.paired_comparison import (
    ChangedLabels,
    Contradictions,
    LabelAgreement,
    MetricPair,
    ModelComparison,
    PairedCounts,
)

EVEN = PairedCounts(photographs=200, champion_right=196, lost=2, won=2)


FAIR = ModelComparison(
    overall=EVEN,
    recognised=PairedCounts(200, 198, 1, 1),
    per_class={"apple": PairedCounts(100, 98, 1, 1), "mango": PairedCounts(100, 98, 1, 1)},
    macro_f1=MetricPair(0.98, 0.98),
    calibration_error=MetricPair(0.01, 0.012),
    others_let_through=MetricPair(0.08, 0.09),
    milliseconds=MetricPair(6.0, 6.1),
)


# Changes to a fair candidate, and part of the only objection (empty if it is promoted).
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a tie": ({}, ""),
    "better": ({"overall": PairedCounts(200, 190, 0, 8), "macro_f1": MetricPair(0.95, 0.99)}, ""),
    "one photograph worse": (
        {"overall": PairedCounts(20, 20, 1, 0), "macro_f1": MetricPair(1.0, 0.95)},
        "",
    ),
    "worse, proven": ({"overall": PairedCounts(3000, 2900, 8, 1)}, "The candidate is worse"),
    "worse in macro F1": (
        {"overall": PairedCounts(200, 196, 3, 1), "macro_f1": MetricPair(0.98, 0.97)},
        "macro F1 falls from 98.0 % to 97.0 %",
    ),
    "noise in a large split": (
        {"overall": PairedCounts(3000, 2900, 30, 25), "macro_f1": MetricPair(0.967, 0.965)},
        "",
    ),
    "one class much worse": (
        {"per_class": {"apple": PairedCounts(100, 98, 0, 12), "mango": PairedCounts(40, 39, 6, 0)}},
        "worse on mango: 33 of 40",
    ),
    "a small class loses one": ({"per_class": {"mango": PairedCounts(4, 4, 1, 0)}}, ""),
    "a small class loses half": (
        {"per_class": {"mango": PairedCounts(4, 4, 2, 0)}},
        "worse on mango",
    ),
    "a class loses a little": ({"per_class": {"mango": PairedCounts(100, 98, 4, 1)}}, ""),
    "a large class loses a little, proven": (
        {"per_class": {"mango": PairedCounts(1000, 980, 25, 3)}},
        "worse on mango",
    ),
    "less calibrated": (
        {"calibration_error": MetricPair(0.01, 0.05)},
        "the calibration error grows from 1.0 % to 5.0 %",
    ),
    "less calibrated on a handful": (
        {
            "overall": PairedCounts(20, 19, 0, 0),
            "calibration_error": MetricPair(0.02, 0.10),
        },
        "",
    ),
    "surer of what it gets wrong": (
        {"log_loss": MetricPair(0.05, 0.56)},
        "surer of what it gets wrong: the log loss grows from 0.05 to 0.56",
    ),
    "a log loss that differs a little": ({"log_loss": MetricPair(0.05, 0.08)}, ""),
    "a log loss that was high before": ({"log_loss": MetricPair(0.9, 1.0)}, ""),
    "known classes rejected": (
        {"recognised": PairedCounts(200, 198, 9, 0)},
        "known classes: 11 of 200, where",
    ),
    "one more rejected": ({"recognised": PairedCounts(20, 20, 1, 0)}, ""),
    "others let through": (
        {"others_let_through": MetricPair(0.08, 0.30)},
        "one of its classes: 30.0 %, where",
    ),
    "others are a new class now": (
        {
            "others_let_through": MetricPair(0.08, 0.30),
            "new_classes": {"things": LabelAgreement(60, 55, 9, 8, 58, 9)},
        },
        "",
    ),
    "most others are a new class now": (
        {
            "others_let_through": MetricPair(0.08, 0.90),
            "new_classes": {"things": LabelAgreement(60, 55, 9, 8, 58, 9)},
        },
        "one of its classes: 90.0 %",
    ),
    "a new class, and others are taken for known fruit": (
        {
            "others_as_known": MetricPair(0.002, 0.20),
            "new_classes": {"kiwi": LabelAgreement(60, 58, 9, 9, 58, 9)},
        },
        "takes 20.0 % of the photos of other things for a class that the champion knows",
    ),
    "others are taken for known fruit, a little more each time": (
        {"others_as_known": MetricPair(0.149, 0.152)},
        "takes 15.2 %",
    ),
    "slower": ({"milliseconds": MetricPair(6.0, 7.0)}, "7.0 ms per photo against 6.0 ms"),
    "the same network": ({"milliseconds": None}, ""),
    "a new class that it knows": (
        {"new_classes": {"kiwi": LabelAgreement(60, 58, 9, 9, 58, 9)}},
        "",
    ),
    "a new class that it recognises as another": (
        {"new_classes": {"kiwi": LabelAgreement(60, 46, 9, 7, 60, 9)}},
        "",
    ),
    "a new class that it rejects": (
        {"new_classes": {"kiwi": LabelAgreement(60, 48, 9, 9, 50, 9)}},
        "does not recognise the new class kiwi: left out one by one, 10 of 60 new photos",
    ),
    "a new class that it rejects by the held-out photos alone": (
        {"new_classes": {"kiwi": LabelAgreement(200, 200, 30, 25, 200, 25)}},
        "does not recognise the new class kiwi: 5 of 30 held-out new photos",
    ),
    "a new class that the candidate itself recognises": (
        {"new_classes": {"kiwi": LabelAgreement(200, 90, 30, 28, 90, 28)}},
        "",
    ),
    "a new class that it rejects by a few held-out photos": (
        {"new_classes": {"kiwi": LabelAgreement(60, 58, 6, 6, 58, 3)}},
        "does not recognise the new class kiwi: 3 of 6 held-out new photos",
    ),
    "two of a few rejected": (
        {"new_classes": {"kiwi": LabelAgreement(60, 58, 6, 6, 58, 4)}},
        "",
    ),
    "a new class that it cannot tell": (
        {
            "new_classes": {
                "kiwi": LabelAgreement(60, 58, 9, 9, 58, 9),
                "plum": LabelAgreement(60, 30, 9, 7, 60, 9),
            }
        },
        "tell the new class plum from the others: left out one by one, 30 of 60 new photos",
    ),
    "a new class that only it can tell": (
        {"new_classes": {"plum": LabelAgreement(200, 90, 30, 28, 200, 30)}},
        "",
    ),
    "labels shuffled": (
        {
            "new_labels": {
                "apple": LabelAgreement(50, 15, 8, 3),
                "mango": LabelAgreement(50, 20, 7, 3),
            }
        },
        "The new labels do not fit the photos: left out one by one, 35 of 100 new photos",
    ),
    "labels of one class wrong": (
        {"new_labels": {"apple": LabelAgreement(150, 148), "mango": LabelAgreement(30, 2)}},
        "The new labels of mango do not fit",
    ),
    "labels that fit": ({"new_labels": {"apple": LabelAgreement(50, 45, 8, 7)}}, ""),
    "hard photographs": ({"new_labels": {"apple": LabelAgreement(50, 38, 8, 5)}}, ""),
    "a handful of odd labels": ({"new_labels": {"apple": LabelAgreement(5, 1)}}, ""),
    "nothing to compare on": (
        {"overall": PairedCounts(0, 0, 0, 0), "calibration_error": None, "macro_f1": None},
        "no held-out photos",
    ),
    "another set of classes": (
        {
            "overall": PairedCounts(0, 0, 0, 0),
            "recognised": PairedCounts(0, 0, 0, 0),
            "per_class": {},
            "calibration_error": None,
            "macro_f1": None,
            "new_classes": {
                "cup": LabelAgreement(40, 39, 6, 6, 40, 6),
                "pen": LabelAgreement(40, 38, 6, 6, 39, 6),
            },
        },
        "There are no held-out photos",
    ),
    "a class is lost": ({"lost_classes": {"fig": 12}}, "the class fig any more (12 held-out"),
    "too few photos of a class are left": (
        {"few_held_out": {"fig": LabelAgreement(5, 5)}},
        "Too few photos of fig",
    ),
    "a class with few held-out photos is still told": (
        {"few_held_out": {"fig": LabelAgreement(20, 18)}},
        "",
    ),
    "a class with few held-out photos is not told any more": (
        {"few_held_out": {"fig": LabelAgreement(20, 9)}},
        "cannot tell fig from the others: left out one by one, 9 of 20",
    ),
    "worse on many files of one photo": (
        {"by_file": {"mango": PairedCounts(300, 290, 40, 0)}},
        "worse on mango: 250 of 300 files",
    ),
    "worse on one source, better on the others": (
        {"per_source": {"phone": PairedCounts(40, 39, 9, 0), "web": PairedCounts(60, 40, 0, 15)}},
        "worse on photos from phone: 30 of 40",
    ),
    "worse in the dark": (
        {"per_slice": {"dark photos": PairedCounts(60, 58, 8, 0)}},
        "worse on dark photos",
    ),
    "a source loses one": ({"per_source": {"market": PairedCounts(4, 4, 1, 0)}}, ""),
    "below the floor and below the champion": (
        {"overall": PairedCounts(200, 150, 1, 0)},
        "right on too few held-out photos: 149 of 200",
    ),
    "below the floor with the champion": ({"overall": PairedCounts(200, 120, 0, 3)}, ""),
    "a group falls below its floor, one photo at a time": (
        {"per_source": {"phone": PairedCounts(20, 12, 1, 0)}},
        "right on too few of photos from phone: 11 of 20",
    ),
    "a class of before comes back as something else": (
        {"returned_classes": {"fig": PairedCounts(10, 0, 0, 3)}},
        "An earlier version knew the class fig, and of its held-out photos the candidate has 3",
    ),
    "a class of before comes back": ({"returned_classes": {"fig": PairedCounts(10, 0, 0, 9)}}, ""),
    "many small losses since the first version": (
        {"since_first": {"": PairedCounts(300, 290, 12, 1)}},
        "Over several versions it has become worse: 279 of 300",
    ),
    "many small losses in one class since the first version": (
        {"since_first": {"": EVEN, "mango": PairedCounts(40, 39, 5, 0)}},
        "Over several versions it has become worse on mango: 34 of 40",
    ),
    "worse on new photos only": (
        {"new_photos": PairedCounts(60, 50, 9, 1)},
        "worse on held-out photos that were added since: 42 of 60",
    ),
    "worse on new photos of one class": (
        {"new_per_class": {"apple": PairedCounts(20, 18, 4, 0)}},
        "worse on apple: 14 of 20 held-out photos added since",
    ),
    "better on new photos, worse on old ones": (
        {
            "overall": PairedCounts(200, 196, 9, 0),
            "new_photos": PairedCounts(200, 100, 0, 90),
            "macro_f1": MetricPair(0.98, 0.93),
        },
        "The candidate is worse",
    ),
    "two held-out photos relabelled": (
        {"changed_labels": {"apple": ChangedLabels(34, 2, 0, 2)}},
        "",
    ),
    "many held-out photos relabelled": (
        {"changed_labels": {"apple": ChangedLabels(34, 20, 0, 20)}},
        "Of the 34 photos of apple that models are judged by, 20 were relabelled",
    ),
    "a few at a time": (
        {"changed_labels": {"apple": ChangedLabels(34, 1, 0, 4)}},
        "4 do not have their first label",
    ),
    "relabelled before, accepted by a person since": (
        {"changed_labels": {"apple": ChangedLabels(34, 0, 0, 20)}},
        "",
    ),
    "many held-out photos removed": (
        {"changed_labels": {"apple": ChangedLabels(20, 0, 6, 0)}},
        "6 removed",
    ),
    "uploads contradict the champion": (
        {"contradictions": Contradictions(240, 200, 190)},
        "Of 240 new photos of known classes the champion is sure that 200 have the wrong label",
    ),
    "contradictions hidden among many others": (
        {"contradictions": Contradictions(2400, 200, 190)},
        "grades 190 new photos that look alike as another class",
    ),
    "a few contradictions": ({"contradictions": Contradictions(100, 6, 2)}, ""),
    "a few corrections that look alike": ({"contradictions": Contradictions(0, 0, 0, 11)}, ""),
    "hundreds of corrections of one kind": (
        {"contradictions": Contradictions(0, 0, 0, 240)},
        "grades 240 corrected photos that look alike",
    ),
}
