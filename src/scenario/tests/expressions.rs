//! Orders and placements that are written as expressions.

use super::parts::{over, policy};
use super::*;

#[test]
fn a_placement_may_be_an_expression() {
    let text = "placement = \"2 * leftover + energy\"";
    assert_eq!(policy(text, &Overrides::default()), "fifo/easy/leftover=2,energy=1", "file");
    for (given, expected) in [
        ("sjf/easy/energy - leftover", "sjf/easy/spread=1,energy=1"),
        ("easy/placement=3*span", "fifo/easy/span=3"),
        ("//(leftover + energy / 2) * 2", "fifo/easy/leftover=2,energy=1"),
    ] {
        assert_eq!(policy("", &over(given)), expected, "-p {given}");
    }
    for (told, given) in [
        ("`leftover * energy`: only a number multiplies terms, at character 10", "//leftover * energy"),
        ("`2*lefover`: unknown term `lefover` at character 3", "//2*lefover"),
        ("unknown placement `best-fitt`", "//best-fitt"),
    ] {
        let found = policy("", &over(given));
        assert!(found.contains(told), "{given}: {found}");
    }
}

#[test]
fn an_order_may_be_an_expression() {
    let text = "order = \"requested_time * gpus ** 0.5 - 0.1 * wait\"";
    let expected = "requested_time*gpus**0.5-0.1*wait/easy/best-fit";
    assert_eq!(policy(text, &Overrides::default()), expected, "file");
    assert_eq!(policy("", &over("requested_time * gpus ** 0.5 - 0.1 * wait")), expected, "-p");
    assert_eq!(policy("", &over(expected)), expected, "as it is shown");
    assert_eq!(policy("", &over("(wait / gpus)/skip")), "(wait/gpus)/skip/best-fit", "it may divide");
    assert_eq!(policy("", &over("order=(wait / gpus)")), "(wait/gpus)/easy/best-fit", "by name");
    assert_eq!(policy("", &over("requested_time - wait")), "requested_time-wait/easy/best-fit", "no name");
    let divides = "order = \"-wait / gpus\"\nrank_period = \"1s\"";
    assert_eq!(
        policy(divides, &Overrides::default()),
        "(-wait/gpus)/easy/best-fit/rank_period=1s",
        "its option"
    );
    for (told, given) in [
        ("`gpus*wiat`: unknown term `wiat` at character 6", "gpus*wiat"),
        ("unknown order `expression`", "expression/easy"),
        ("unknown order `expression`", "expression"),
        ("`(1/0)`: it reads no term", "(1/0)/easy"),
        ("`` names no policy", ""),
        ("`//` names no policy", "//"),
        ("`rank_period`: `2*gpus` reads nothing that changes while jobs wait", "2*gpus/rank_period=1m"),
        ("order `2*wait` changes while jobs wait", "2*wait/preemption=ranked"),
    ] {
        let found = policy("", &over(given));
        assert!(found.contains(told), "{given}: {found}");
    }
    let ranked = policy("", &over("priority*gpus/preemption=ranked"));
    assert_eq!(ranked, "priority*gpus/skip/best-fit/preemption=ranked", "what stays can rank running jobs");
}
