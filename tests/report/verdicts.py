"""Verdicts as studies could have written them, one function per case."""

from __future__ import annotations

from dataclasses import replace

from leadline.records.evidence import BaselineFacts, Comparison, Corner, CurvePoint, Diagnosis, Effect, Scores, Square
from leadline.records.verdict import ArmFacts, Budget, DataFacts, Recommendation, TestRow, Verdict
from leadline.spec import StackSpec, with_parameters

VERSIONS = {"leadline": "0.1.0", "torch": "2.13.0", "numpy": "2.3.0", "python": "3.11.9"}


def arm(
    name: str,
    spec: StackSpec,
    train: float | None,
    dev: float | None,
    *,
    half: float = 0.4,
    seeds: int = 6,
    extra: int = 0,
    micro: float | None = None,
    seconds: float | None = 21.0,
    **more: object,
) -> ArmFacts:
    """A row of the table of arms; `extra` parameters are the embedding's."""
    scores = None if dev is None else Scores(score=dev, interval=(dev - half, dev + half), seeds=seeds)
    return ArmFacts(
        name=name,
        description=spec.describe(),
        spec=spec,
        learning_rate=0.004,
        weight_decay=0.0,
        dropout=spec.dropout,
        num_parameters=spec.num_parameters + extra,
        state_size=spec.state_size,
        operations_per_step=spec.operations_per_step,
        train=train,
        tune=None if dev is None else dev + 0.2,
        dev=scores,
        seconds_per_trial=seconds,
        microseconds_per_step=micro,
        **more,  # type: ignore[arg-type]
    )


def recommend(row: ArmFacts) -> Recommendation:
    """The recommendation of an arm."""
    spec = row.spec
    return Recommendation(
        cell=spec.cell,
        num_layers=spec.num_layers,
        hidden_size=spec.hidden_size,
        bidirectional=spec.bidirectional,
        look_ahead=spec.look_ahead,
        readout=spec.readout,
        pooling=spec.pooling,
        dropout=spec.dropout,
        residual=spec.residual,
        layer_norm=spec.layer_norm,
        learning_rate=row.learning_rate,
        weight_decay=row.weight_decay,
        num_parameters=row.num_parameters,
        state_size=row.state_size,
        operations_per_step=row.operations_per_step,
        microseconds_per_step=row.microseconds_per_step,
        description=row.description,
    )


def compared(
    source: str, move: str, to: str, decision: str, effect: tuple[float, float, float] | None, **more: object
) -> Comparison:
    """A comparison; `effect` is (low, mean, high)."""
    values: dict[str, object] = {
        "against": source,
        "level": 0.994,
        "pairs": 6,
        "seconds": 190.0,
        "reason": "",
    }
    if effect is None:
        values |= {"level": None, "pairs": 0, "seconds": 14.0}
    else:
        values |= {"effect": effect[1], "interval": (effect[0], effect[2])}
    return Comparison(source=source, move=move, to=to, decision=decision, **(values | more))  # type: ignore[arg-type]


def test_row(role: str, row: ArmFacts, score: float, half: float) -> TestRow:
    """A final score by three seeds."""
    return TestRow(
        role=role,  # type: ignore[arg-type]
        arm=row.name,
        description=row.description,
        num_parameters=row.num_parameters,
        score=score,
        interval=(score - half, score + half),
        seed_scores=(score - 0.3 * half, score + 0.1 * half, score + 0.2 * half),
    )


test_row.__test__ = False  # type: ignore[attr-defined]


def letters_to_sounds() -> Verdict:
    """Both directions, then dropout, then a second layer; the square interacts; look-ahead 2 is nearly level."""
    letters = 27 * 24
    one = StackSpec(input_size=24, output_size=63, cell="gru", hidden_size=64)
    both = with_parameters(replace(one, bidirectional=True), one.num_parameters)
    drop = replace(both, dropout=0.3)
    wide = with_parameters(drop, round(2.5 * drop.num_parameters))
    deep = with_parameters(replace(drop, num_layers=2), wide.num_parameters)
    deeper = with_parameters(replace(drop, num_layers=3), round(2.5 * deep.num_parameters))
    wider = with_parameters(deep, deeper.num_parameters)
    start_wide = with_parameters(one, round(2.5 * one.num_parameters))
    start_deep = with_parameters(replace(one, num_layers=2), start_wide.num_parameters)
    square_spec = replace(one, readout="mlp")
    corners_spec = {
        (layers, ways): with_parameters(
            replace(square_spec, num_layers=layers, bidirectional=ways), start_wide.num_parameters
        )
        for layers in (1, 2)
        for ways in (False, True)
    }
    arms = {
        "start": arm("start", one, 78.9, 71.3, extra=letters, micro=19.0, seconds=11.0),
        "start-wide": arm("start-wide", start_wide, 82.4, 71.6, extra=letters, micro=24.0),
        "start-deep": arm("start-deep", start_deep, 81.9, 71.9, extra=letters, micro=37.0),
        "both": arm("both", both, 96.9, 88.8, extra=letters, micro=33.0),
        "ahead-2": arm(
            "ahead-2",
            with_parameters(replace(one, look_ahead=2), one.num_parameters),
            93.1,
            87.9,
            extra=letters,
            micro=20.0,
        ),
        "both-drop": arm("both-drop", drop, 94.8, 89.4, extra=letters, micro=33.0),
        "both-drop-wide": arm("both-drop-wide", wide, 97.6, 89.8, extra=letters, micro=46.0),
        "both-drop-deep": arm("both-drop-deep", deep, 98.6, 91.1, extra=letters, micro=68.0, seconds=48.0),
        "both-drop-deep-3": arm(
            "both-drop-deep-3",
            deeper,
            99.1,
            91.3,
            extra=letters,
            micro=112.0,
            seconds=95.0,
            still_improving=True,
        ),
        "both-drop-deep-wide": arm("both-drop-deep-wide", wider, 99.0, 91.4, extra=letters, micro=88.0, seconds=90.0),
        "both-drop-deep-mlp": arm(
            "both-drop-deep-mlp",
            replace(deep, readout="mlp"),
            98.8,
            91.2,
            extra=letters,
            micro=73.0,
            seconds=55.0,
        ),
        "both-drop-deep-lstm": arm(
            "both-drop-deep-lstm",
            with_parameters(replace(deep, cell="lstm"), deep.num_parameters),
            97.1,
            None,
            extra=letters,
            seeds=1,
            failed=1,
        ),
    }
    s, b, d, deep_name = "start", "both", "both-drop", "both-drop-deep"
    moves = (
        compared(s, "both_directions", b, "better", (16.6, 17.5, 18.4), pairs=4),
        compared(s, "look_ahead", "ahead-2", "better", (15.6, 16.6, 17.6), pairs=4),
        compared(s, "wider", "start-wide", "not_worth_it", (-0.2, 0.3, 0.7), pairs=8),
        compared(s, "deeper", "start-deep", "undecided", (-0.3, 0.3, 0.9), against="start-wide", pairs=4),
        compared(s, "other_cell", "start-lstm", "not_pursued", None, screening=0.4),
        compared(b, "regularise", d, "better", (0.9, 1.5, 2.1), pairs=6),
        compared(b, "readout", "both-mlp", "not_pursued", None, screening=0.9),
        compared(d, "deeper", deep_name, "better", (0.9, 1.7, 2.5), pairs=6),
        compared(d, "wider", "both-drop-wide", "not_worth_it", (0.0, 0.4, 0.7), pairs=7),
        compared(
            deep_name,
            "deeper",
            "both-drop-deep-3",
            "undecided",
            (-0.4, 0.2, 0.9),
            pairs=6,
            pairs_to_close=9,
            minutes_to_close=14.0,
        ),
        compared(deep_name, "wider", "both-drop-deep-wide", "not_worth_it", (-0.1, 0.3, 0.7), pairs=10),
        compared(
            deep_name,
            "readout",
            "both-drop-deep-mlp",
            "not_worth_it",
            (-0.4, 0.1, 0.6),
            pairs=8,
            against=deep_name,
        ),
        compared(
            deep_name,
            "other_cell",
            "both-drop-deep-lstm",
            "failed_to_train",
            None,
            screening=-21.0,
            reason="Training ended below the best baseline, also with residual connections and normalisation.",
        ),
        compared(deep_name, "narrower", "both-drop-deep-narrow", "not_pursued", None, screening=-1.9),
    )

    def corner(layers: int, ways: bool, dev: float) -> Corner:
        spec = corners_spec[layers, ways]
        return Corner(
            num_layers=layers,
            bidirectional=ways,
            arm=f"square-{layers}-{'both' if ways else 'one'}",
            num_parameters=spec.num_parameters + letters,
            dev=Scores(score=dev, interval=(dev - 0.5, dev + 0.5), seeds=4),
        )

    square = Square(
        readout="mlp",
        num_parameters=start_wide.num_parameters + letters,
        corners=(
            corner(1, False, 71.8),
            corner(2, False, 72.0),
            corner(1, True, 90.2),
            corner(2, True, 91.3),
        ),
        depth_one_way=Effect(effect=0.2, interval=(-0.4, 0.8), pairs=4),
        depth_both_ways=Effect(effect=1.1, interval=(0.5, 1.7), pairs=4),
        direction_shallow=Effect(effect=18.4, interval=(17.7, 19.1), pairs=4),
        direction_deep=Effect(effect=19.3, interval=(18.6, 20.0), pairs=4),
        linear=Square(
            readout="linear",
            num_parameters=start_wide.num_parameters + letters,
            corners=(),
            depth_one_way=Effect(effect=0.3, interval=(-0.3, 0.9), pairs=4),
            depth_both_ways=Effect(effect=1.6, interval=(0.9, 2.3), pairs=4),
            direction_shallow=None,
            direction_deep=None,
        ),
    )
    curve = tuple(
        CurvePoint(
            steps=k,
            score=score,
            interval=(score - 0.5, score + 0.5),
            seeds=3,
            arm=f"ahead-{k}",
            num_parameters=20000,
        )
        for k, score in ((0, 71.3), (1, 84.6), (2, 87.9), (4, 88.7), (8, 88.9), ("all", 88.8))
    )
    best = arms[deep_name]
    causal_row = arms["start-deep"]
    return Verdict(
        data=DataFacts(
            name="letters to sounds",
            source="embedded",
            fingerprint="5f1c09aa7b21e3d4",
            kind="tagging",
            num_sequences=23874,
            num_steps=171203,
            longest=16,
            features=("letter",),
            target="sound",
            classes=tuple(f"S{i}" for i in range(63)),
            parts={"train": 16712, "tune": 2387, "dev": 2388, "test": 2387},
            split_by="group",
            folds=1,
            notes=("Split by word family, so that no family stands in two parts.",),
        ),
        metric="accuracy",
        unit="% of labels right",
        loss_unit="% of labels wrong",
        perfect=100.0,
        recommendation=recommend(best),
        path=("both_directions", "regularise", "deeper"),
        incumbents=(s, b, d, deep_name),
        stop_reason="nothing_more_pays",
        stop_sentence="From here every move that was settled gains less than the margin.",
        moves=moves,
        square=square,
        look_ahead_curve=curve,
        reading_curve=(),
        diagnosis=(
            diagnosis(s, 78.9, 71.3, ("bias",), "Training error is high: the network cannot fit what it sees."),
            diagnosis(b, 96.9, 88.8, ("variance",), "Training error is low and dev error is not: variance."),
            diagnosis(d, 94.8, 89.4, ("variance",), "Dropout narrowed the gap between training and dev error."),
            diagnosis(
                deep_name,
                98.6,
                91.1,
                ("variance", "more_data"),
                "Half of the data gives 2.0 points more errors.",
            ),
        ),
        baselines=(
            BaselineFacts(name="majority", description="most frequent label", dev=18.6, tune=18.4),
            BaselineFacts(name="ngram", description="n-gram back-off", dev=66.0, tune=66.2),
            BaselineFacts(
                name="window_mlp",
                description="MLP on a window of 7 steps",
                dev=83.9,
                tune=84.1,
                test=83.6,
                causal=False,
                seconds=38.0,
            ),
        ),
        arms=tuple(arms.values()),
        test=(
            test_row("advised", best, 90.9, 0.6),
            test_row("start", arms[s], 71.2, 0.9),
            test_row("best_causal", causal_row, 71.8, 0.9),
            TestRow(
                role="best_baseline",
                arm="window_mlp",
                description="MLP on a window of 7 steps",
                num_parameters=None,
                score=83.6,
                interval=(82.9, 84.3),
                seed_scores=(83.6,),
            ),
        ),
        causal=False,
        max_look_ahead=None,
        margin=0.814,
        alpha=0.05,
        budget=Budget(minutes=15.0, max_trials=None, trials=112, seconds=871.0, jobs=2),
        seed=0,
        warnings=("41 words stand in more than one part; they were kept in train only.",),
        versions=VERSIONS,
    )


def diagnosis(name: str, train: float, dev: float, findings: tuple[str, ...], words: str) -> Diagnosis:
    """Where an incumbent of the letters stands."""
    return Diagnosis(
        incumbent=name,
        train=train,
        tune=dev + 0.2,
        dev=dev,
        best_baseline="window_mlp",
        baseline_dev=83.9,
        half_data_dev=dev - 2.0 if "more_data" in findings else None,
        findings=findings,
        words=(words,),
    )


def baseline_is_enough() -> Verdict:
    """Spam: a bag of words is as good as the network at the start."""
    spec = StackSpec(input_size=48, output_size=2, hidden_size=64, pooling="max")
    both = with_parameters(replace(spec, bidirectional=True), spec.num_parameters)
    start = arm("start", spec, 99.9, 98.1, half=0.6, extra=31200, micro=22.0)
    return letters_to_sounds().model_copy(
        update={
            "data": DataFacts(
                name="sms_spam",
                source="data/sms_spam/sms.tsv",
                fingerprint="77aa09aa7b21e3d4",
                kind="classification",
                num_sequences=5574,
                num_steps=86781,
                longest=189,
                features=("word",),
                target="label",
                classes=("ham", "spam"),
                parts={"train": 3901, "tune": 557, "dev": 558, "test": 558},
                split_by="stratified by label",
                folds=1,
                notes=("Read as one label and one text per line, split into words.",),
            ),
            "unit": "% of sequences right",
            "loss_unit": "% of sequences wrong",
            "recommendation": Recommendation(baseline="bag_of_steps", description="logistic model on a bag of steps"),
            "path": (),
            "incumbents": ("start",),
            "stop_reason": "baseline_is_enough",
            "stop_sentence": "The logistic model on a bag of steps is not beaten by more than the margin.",
            "moves": (
                compared("start", "both_directions", "both", "not_worth_it", (-0.3, -0.1, 0.1)),
                compared("start", "wider", "wide", "not_pursued", None, screening=-0.2),
            ),
            "square": None,
            "look_ahead_curve": (),
            "reading_curve": (),
            "diagnosis": (),
            "baselines": (
                BaselineFacts(name="majority", description="most frequent label", dev=86.6, tune=86.6),
                BaselineFacts(
                    name="bag_of_steps",
                    description="logistic model on a bag of steps",
                    dev=98.3,
                    tune=98.5,
                    test=98.4,
                    seconds=2.0,
                ),
            ),
            "arms": (start, arm("both", both, 99.9, 98.0, half=0.6, extra=31200)),
            "test": (
                TestRow(
                    role="advised",
                    arm="bag_of_steps",
                    description="logistic model on a bag of steps",
                    num_parameters=8812,
                    score=98.4,
                    interval=(97.2, 99.3),
                    seed_scores=(98.4,),
                ),
                test_row("start", start, 98.2, 1.0),
            ),
            "margin": 0.13,
            "budget": Budget(minutes=15.0, max_trials=None, trials=22, seconds=214.0, jobs=1),
            "warnings": (),
        }
    )


def interrupted() -> Verdict:
    """Stopped by hand before anything was compared: almost everything is missing."""
    return letters_to_sounds().model_copy(
        update={
            "recommendation": Recommendation(),
            "path": (),
            "incumbents": ("start",),
            "stop_reason": "interrupted",
            "stop_sentence": "",
            "moves": (),
            "square": None,
            "look_ahead_curve": (),
            "diagnosis": (),
            "baselines": (),
            "arms": (),
            "test": (),
            "budget": Budget(minutes=None, max_trials=None, trials=1, seconds=9.5, jobs=1),
            "warnings": (),
            "versions": {},
        }
    )


def air_quality() -> Verdict:
    """Regression, one number per step, kept causal: a wider network pays and the budget ended."""
    spec = StackSpec(input_size=11, output_size=1, hidden_size=64)
    wide = with_parameters(spec, round(2.5 * spec.num_parameters))
    start = arm("start", spec, -21.4, -26.31, half=0.5, micro=17.0)
    wider = arm("wide", wide, -19.2, -24.10, half=0.5, micro=26.0)
    return letters_to_sounds().model_copy(
        update={
            "data": DataFacts(
                name="beijing_pm25",
                source="pm25.csv",
                fingerprint="0011aabb00112233",
                kind="step_regression",
                num_sequences=365,
                num_steps=8760,
                longest=24,
                features=("dew point", "temperature", "pressure", "wind"),
                target="pm2.5",
                classes=(),
                parts={"train": 220, "tune": 48, "dev": 48, "test": 49},
                split_by="time",
                folds=3,
                notes=("2,067 missing values were set to the mean and marked by an indicator.",),
            ),
            "metric": "negative_mean_absolute_error",
            "unit": "- mean absolute error of pm2.5",
            "loss_unit": "mean absolute error of pm2.5",
            "perfect": 0.0,
            "recommendation": recommend(wider),
            "path": ("wider",),
            "incumbents": ("start", "wide"),
            "stop_reason": "budget",
            "stop_sentence": "",
            "moves": (
                compared("start", "wider", "wide", "better", (1.20, 2.21, 3.22)),
                compared(
                    "start",
                    "deeper",
                    "deep",
                    "undecided",
                    (-0.40, 0.35, 1.10),
                    pairs_to_close=11,
                    minutes_to_close=6.5,
                ),
                compared(
                    "wide",
                    "deeper",
                    "wide-deep",
                    "undecided",
                    (-0.55, 0.45, 1.45),
                    pairs_to_close=14,
                    minutes_to_close=22.0,
                ),
                compared("wide", "readout", "wide-mlp", "not_pursued", None, screening=0.02),
            ),
            "square": None,
            "look_ahead_curve": tuple(
                CurvePoint(
                    steps=k,
                    score=score,
                    interval=(score - 0.4, score + 0.4),
                    seeds=2,
                    arm=f"a{k}",
                    num_parameters=15000,
                )
                for k, score in ((0, -26.31), (1, -22.90), (2, -21.80), (4, -20.35), ("all", -18.40))
            ),
            "diagnosis": (
                Diagnosis(
                    incumbent="start",
                    train=-21.4,
                    tune=-26.0,
                    dev=-26.31,
                    best_baseline="last_value",
                    baseline_dev=-29.9,
                    half_data_dev=None,
                    findings=("bias",),
                    words=("Training error is close to dev error.",),
                ),
            ),
            "baselines": (
                BaselineFacts(name="mean", description="mean", dev=-71.2, tune=-70.0),
                BaselineFacts(
                    name="window_ridge",
                    description="ridge on a window of 8 steps",
                    dev=-29.9,
                    tune=-29.0,
                    test=-30.4,
                    seconds=0.4,
                ),
            ),
            "arms": (start, wider),
            "test": (test_row("advised", wider, -24.6, 1.3), test_row("start", start, -26.9, 1.4)),
            "causal": True,
            "margin": 0.71,
            "budget": Budget(minutes=5.0, max_trials=None, trials=31, seconds=302.0, jobs=2),
            "warnings": (),
        }
    )


def pen_digits() -> Verdict:
    """Classification from a large start: shallower, one direction; a reading curve."""
    large = StackSpec(
        input_size=2,
        output_size=10,
        cell="lstm",
        hidden_size=256,
        num_layers=3,
        bidirectional=True,
        pooling="last",
    )
    shallow = replace(large, num_layers=1)
    small = with_parameters(shallow, 24000)
    rows = {
        "start": arm("start", large, 99.9, 98.9, half=0.4, micro=910.0, seconds=122.0),
        "shallow": arm("shallow", shallow, 99.9, 98.9, half=0.4, micro=240.0, seconds=44.0),
        "small": arm("small", small, 99.8, 98.8, half=0.4, micro=41.0, seconds=12.0),
    }
    return letters_to_sounds().model_copy(
        update={
            "data": DataFacts(
                name="pendigits",
                source="pendigits.csv",
                fingerprint="aa11aabb00112233",
                kind="classification",
                num_sequences=10992,
                num_steps=87936,
                longest=8,
                features=("x", "y"),
                target="digit",
                classes=tuple("0123456789"),
                parts={"train": 6000, "tune": 747, "dev": 747, "test": 3498},
                split_by="column split",
                folds=1,
                notes=(),
            ),
            "unit": "% of sequences right",
            "loss_unit": "% of sequences wrong",
            "recommendation": recommend(rows["small"]),
            "path": ("shallower", "narrower"),
            "incumbents": ("start", "shallow", "small"),
            "stop_sentence": "",
            "moves": (
                compared("start", "shallower", "shallow", "better", (-0.2, 0.0, 0.2)),
                compared("start", "wider", "start-wide", "not_worth_it", (-0.1, 0.0, 0.1), pairs=4),
                compared("start", "deeper", "start-deep", "not_worth_it", (-0.3, -0.1, 0.1), pairs=4),
                compared("shallow", "narrower", "small", "better", (-0.4, -0.1, 0.2)),
                compared("small", "one_direction", "small-one", "not_worth_it", (-1.4, -0.9, -0.5)),
                compared("small", "readout", "small-mlp", "not_worth_it", (-0.2, 0.1, 0.3)),
                compared("small", "deeper", "small-deep", "not_worth_it", (-0.2, 0.1, 0.4)),
                compared("small", "wider", "small-wide", "not_worth_it", (-0.2, 0.1, 0.4)),
            ),
            "square": None,
            "look_ahead_curve": (),
            "reading_curve": (
                (0.125, 22.5),
                (0.25, 41.0),
                (0.5, 81.7),
                (0.75, 95.2),
                (0.875, 97.6),
                (1.0, 97.9),
            ),
            "diagnosis": (),
            "baselines": (
                BaselineFacts(
                    name="bag_of_steps",
                    description="MLP on a bag of steps",
                    dev=91.0,
                    tune=91.3,
                    causal=False,
                ),
            ),
            "arms": tuple(rows.values()),
            "test": (
                test_row("advised", rows["small"], 97.6, 0.5),
                test_row("start", rows["start"], 97.8, 0.5),
            ),
            "margin": 0.9,
            "budget": Budget(minutes=None, max_trials=80, trials=80, seconds=4210.0, jobs=2),
            "warnings": (),
        }
    )


def nothing_pays() -> Verdict:
    """Characters of a text, in nats: the start stays, and every move was refused."""
    spec = StackSpec(input_size=32, output_size=65, hidden_size=128)
    start = arm("start", spec, -1.402, -1.655, half=0.012, extra=2112, micro=25.0)
    return letters_to_sounds().model_copy(
        update={
            "data": DataFacts(
                name="tiny_shakespeare",
                source="input.txt",
                fingerprint="bb11aabb00112233",
                kind="next_step",
                num_sequences=4357,
                num_steps=1115394,
                longest=256,
                features=("character",),
                target="next character",
                classes=tuple(chr(33 + i) for i in range(65)),
                parts={"train": 3050, "tune": 435, "dev": 436, "test": 436},
                split_by="order",
                folds=1,
                notes=(),
            ),
            "metric": "negative_nats",
            "unit": "nats per step",
            "loss_unit": "nats per step",
            "perfect": 0.0,
            "recommendation": recommend(start),
            "path": (),
            "incumbents": ("start",),
            "stop_sentence": "",
            "moves": (
                compared("start", "wider", "wide", "not_worth_it", (-0.004, 0.006, 0.016)),
                compared("start", "deeper", "deep", "not_worth_it", (-0.012, -0.002, 0.008)),
            ),
            "square": None,
            "look_ahead_curve": (),
            "diagnosis": (),
            "baselines": (
                BaselineFacts(name="ngram", description="n-gram back-off", dev=-2.011, tune=-2.002, test=-2.020),
            ),
            "arms": (start,),
            "test": (
                test_row("advised", start, -1.671, 0.014),
                TestRow(
                    role="best_baseline",
                    arm="ngram",
                    description="n-gram back-off",
                    num_parameters=None,
                    score=-2.020,
                    interval=(-2.041, -1.999),
                    seed_scores=(-2.020,),
                ),
            ),
            "causal": True,
            "margin": 0.024,
            "warnings": (),
        }
    )


def undecided() -> Verdict:
    """Letters again, stopped where two moves stay open at the start."""
    whole = letters_to_sounds()
    start = next(row for row in whole.arms if row.name == "start")
    return whole.model_copy(
        update={
            "recommendation": recommend(start),
            "path": (),
            "incumbents": ("start",),
            "stop_reason": "undecided",
            "stop_sentence": "",
            "moves": tuple(
                move.model_copy(update={"pairs_to_close": 20, "minutes_to_close": 31.0})
                if move.decision == "undecided"
                else move
                for move in whole.moves
                if move.source == "start" and move.decision != "better"
            ),
            "test": whole.test[1:2],
        }
    )


def noise_floor() -> Verdict:
    """Repeated contexts show that the rest is noise."""
    return nothing_pays().model_copy(
        update={
            "stop_reason": "noise_floor",
            "stop_sentence": "Repeated contexts disagree in 1.640 nats per step.",
        }
    )


def failed_to_train() -> Verdict:
    """No arm beyond the start trains."""
    return nothing_pays().model_copy(
        update={
            "stop_reason": "failed_to_train",
            "moves": (
                compared(
                    "start",
                    "deeper",
                    "deep",
                    "failed_to_train",
                    None,
                    screening=-1.2,
                    reason="Two of two runs diverged.",
                ),
            ),
        }
    )


def more_data() -> Verdict:
    """Half of the data is much worse: collect more."""
    return nothing_pays().model_copy(update={"stop_reason": "more_data"})


CASES = {
    case.__name__: case
    for case in (
        letters_to_sounds,
        baseline_is_enough,
        interrupted,
        air_quality,
        pen_digits,
        nothing_pays,
        undecided,
        noise_floor,
        failed_to_train,
        more_data,
    )
}
