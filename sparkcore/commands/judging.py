"""The commands that judge a run: accuracy, policies, comparison with another run."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sparkcore.analysis.policies import delete_policy, save_policy, saved_policies
from sparkcore.analysis.thresholds import CONFIDENCE
from sparkcore.commands.options import existing_store
from sparkcore.commands.reviewing import reviewed_results
from sparkcore.commands.terminal import print_json, print_table
from sparkcore.errors import RequestError
from sparkcore.imaging.lettering import percent
from sparkcore.runs.results import load_results

if TYPE_CHECKING:
    from sparkcore.analysis.comparison import Comparison, ConfigChange
    from sparkcore.analysis.paired import Paired
    from sparkcore.runs.manifest import Manifest

_SHOWN_LABELS = 15


def compare(options: argparse.Namespace) -> None:
    """Show how far two runs agree, where they differ, and which one is better."""
    from sparkcore.analysis.comparison import compare as compare_tables
    from sparkcore.analysis.comparison import config_changes
    from sparkcore.analysis.paired import describe_settings, judge_pairs

    store = existing_store(options)
    left, right = store.find(options.left), store.find(options.right)
    tables = reviewed_results(store, left), reviewed_results(store, right)
    result, paired = compare_tables(*tables), judge_pairs(*tables)
    changes = config_changes(left.to_dict(), right.to_dict())
    if options.json:
        print_json(_comparison_facts((left, right), result, paired, changes))
        return
    agreement = "nothing to compare" if result.agreement is None else f"{percent(result.agreement)} the same label"
    print(f"{result.both:,} images in both runs: {agreement}, {result.changed.num_rows:,} changed.")
    print(f"{len(result.only_left):,} only in {left.run_id}, {len(result.only_right):,} only in {right.run_id}.")
    if paired:
        _print_paired(paired, left.run_id, right.run_id)
    print(describe_settings(changes))
    print_table(
        result.pairs.schema.names, [tuple(row.values()) for row in result.pairs.slice(0, _SHOWN_LABELS).to_pylist()]
    )


def _comparison_facts(
    runs: tuple[Manifest, Manifest], result: Comparison, paired: Paired | None, changes: list[ConfigChange]
) -> dict[str, Any]:
    return {
        "left": runs[0].run_id,
        "right": runs[1].run_id,
        "in_both": result.both,
        "only_left": len(result.only_left),
        "only_right": len(result.only_right),
        "agreement": result.agreement,
        "changed": result.changed.num_rows,
        "judged": paired.judged if paired else 0,
        "accuracy_a": paired and paired.accuracy_left,
        "accuracy_b": paired and paired.accuracy_right,
        "fixed": paired and paired.fixed,
        "broken": paired and paired.broken,
        "p_value": paired and paired.p_value,
        "groups": _named_groups(paired),
        "settings": {change.name: [change.left, change.right] for change in changes},
    }


def _print_paired(paired: Paired, left: str, right: str) -> None:
    accuracies = f"{percent(paired.accuracy_left)} and {percent(paired.accuracy_right)}"
    print(f"Accuracy on {paired.judged:,} images: {accuracies}. {paired.sentence(left, right)}")
    groups = [
        (g["group"], g["images"], percent(g["accuracy_a"]), percent(g["accuracy_b"]), f"{g['p_adjusted']:.2g}")
        for g in _named_groups(paired)
    ]
    print_table(("group", "images", left, right, "p (Holm)"), groups[:_SHOWN_LABELS])


def _named_groups(paired: Paired | None) -> list[dict[str, Any]]:
    """Return the groups of true classes in which two runs differ, with McNemar's test corrected after Holm."""
    if paired is None:
        return []
    names = {"name": "group", "accuracy_left": "accuracy_a", "accuracy_right": "accuracy_b"}
    return [{names.get(key, key): value for key, value in row.items()} for row in paired.groups.to_pylist()]


def drift(options: argparse.Namespace) -> None:
    """Show how far the images of two runs differ: labels, scores, and the images least like the other run."""
    from sparkcore.analysis.drift import LEVEL, measure_drift, run_vectors

    store = existing_store(options)
    a, b = store.find(options.left), store.find(options.right)
    table = load_results(store, b.run_id)
    found = measure_drift(load_results(store, a.run_id), table, run_vectors(store, a, b))
    strange = table.select(["image_id", "origin", "label", "score"]).take(pa.array(found.strange)).to_pylist()
    changed = found.labels.filter(found.labels["alarm"]).to_pylist()
    if options.json:
        values = {
            "a": a.run_id,
            "b": b.run_id,
            "images_a": found.images_a,
            "images_b": found.images_b,
            "alarm": found.alarm,
            "level": LEVEL,
            "labels": changed,
            "score_distance": found.score_distance,
            "score_p_value": found.score_p,
            "embedding_p_value": found.embedding_p,
            "strange": strange,
        }
        print_json(values)
        return
    print(f"{found.images_a:,} images of {a.run_id}, {found.images_b:,} of {b.run_id}. {found.sentence()}")
    rows = [(r["name"], percent(r["share_a"]), percent(r["share_b"]), f"{r['p_value']:.2g}") for r in changed]
    print_table(("label", a.run_id, b.run_id, "p"), rows)
    print_table(
        (f"least like {a.run_id}", "label", "score"), [(r["origin"], r["label"], percent(r["score"])) for r in strange]
    )


def evaluate(options: argparse.Namespace) -> None:
    """Measure the accuracy of a run by its true labels and reviews."""
    from sparkcore.analysis.intervals import clopper_pearson
    from sparkcore.analysis.label_table import group_accuracy
    from sparkcore.analysis.metrics import evaluate as evaluate_table
    from sparkcore.analysis.reviewed import truth_sources

    store = existing_store(options)
    manifest = store.find(options.run)
    table = reviewed_results(store, manifest, reviews_first=options.reviews_first)
    result, sources = evaluate_table(table), truth_sources(table, manifest.config["truth"])
    low, high = clopper_pearson(result.top_1 * result.support, result.support)
    groups = group_accuracy(table)
    if options.json:
        top5 = result.top_k if result.depth == 5 else None
        found = {"top1": result.top_1, "top5": top5, "low": low, "high": high, "true_labels": sources}
        print_json({"run_id": manifest.run_id, **found, **result.numbers(), "groups": groups.to_pylist()})
        return
    said = ", ".join(f"{count:,} {name}" for name, count in sources.items())
    print(f"Run {manifest.run_id}: {result.support:,} images with a true label ({said})")
    print(*result.sentences(), sep="\n")
    shares = [
        (g["group"], g["images"], *map(percent, (g["accuracy"], g["low"], g["high"]))) for g in groups.to_pylist()
    ]
    print_table(("group", "images", "accuracy", "from", "to"), shares[:_SHOWN_LABELS])
    print_table(
        result.pairs.schema.names, [tuple(row.values()) for row in result.pairs.slice(0, _SHOWN_LABELS).to_pylist()]
    )


def fit_policy(options: argparse.Namespace) -> None:
    """Find the thresholds that reach a precision on the judged images of a run."""
    from sparkcore.analysis import policy

    store = existing_store(options)
    manifest = store.find(options.run)
    table = reviewed_results(store, manifest)
    aim = policy.Aim(options.precision, options.guarantee, options.reject or 0.0, options.by_class)
    name = options.name or f"{manifest.model['name']}-{options.precision:g}"
    fitted = policy.fit_policy(table, aim, name=name, run_id=manifest.run_id)
    decided = policy.count_decisions(policy.decide(table, fitted.policy))
    if options.out:
        options.out.write_text(fitted.policy.to_json(), encoding="utf-8")
    if options.save:
        save_policy(store, fitted.policy)
    found = fitted.found
    if options.json:
        values = {**asdict(found), "confidence": CONFIDENCE, "judged": fitted.judged, "decisions": decided}
        print_json({"run_id": manifest.run_id, **values, "policy": asdict(fitted.policy)})
        return
    print(f"Run {manifest.run_id}: from the score {found.threshold:.4f} on, {percent(found.precision)} are correct")
    interval = f"{percent(found.low)} to {percent(found.high)} ({100 * CONFIDENCE:.0f} % interval)"
    print(f"{interval}; {found.kept:,} of {fitted.judged:,} judged images are kept, {percent(found.share)}.")
    print("All images: " + ", ".join(f"{count:,} {name}" for name, count in decided.items()))
    for place in filter(None, (options.out, options.save and name)):
        print(f"Wrote {place}; use it with `run --policy` and `export --policy`.")


def list_policies(options: argparse.Namespace) -> None:
    """List the policies of a store."""
    found = saved_policies(existing_store(options))
    if options.json:
        print_json([asdict(policy) for policy in found])
        return
    rows = [(p.name, f"{p.accept:.4f}", f"{p.reject:.4f}", len(p.classes), p.run_id) for p in found]
    print_table(("policy", "accept from", "reject below", "classes", "fitted on"), rows)


def remove_policy(options: argparse.Namespace) -> None:
    """Delete a policy of a store."""
    store = existing_store(options)
    if options.name not in [policy.name for policy in saved_policies(store)]:
        raise RequestError(f"policy: expected the name of a policy of this store, received {options.name!r}.")
    delete_policy(store, options.name)
    print(f"Deleted the policy {options.name}.")
