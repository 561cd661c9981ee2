use super::*;

fn axes(texts: &[&str]) -> Vec<Axis> {
    texts.iter().map(|text| Axis::parse(text).unwrap()).collect()
}

#[test]
fn a_grid_has_every_combination() {
    let found = points(&axes(&["a=1,2", "b=x,y,z"]), Design::Grid).unwrap();
    let written: Vec<String> = found.iter().map(|point| point.join("")).collect();
    assert_eq!(written, ["1x", "1y", "1z", "2x", "2y", "2z"], "the last axis fastest");
    assert_eq!(points(&[], Design::Grid).unwrap(), [Vec::<String>::new()], "nothing varies: one point");
}

#[test]
fn ranges_have_their_ends_and_as_many_values_as_asked() {
    for (text, values) in [
        ("a=1..4:4", vec!["1", "2", "3", "4"]),
        ("a=1..4:2", vec!["1", "4"]),
        ("a=1..2:4", vec!["1", "2"]),
        ("a=0.5..1:3", vec!["0.5", "0.75", "1.0"]),
        ("a=-2..2:3", vec!["-2", "0", "2"]),
        ("a=30..90m:3", vec!["30m", "60m", "90m"]),
        ("a=30 m..90 m:3", vec!["30 m", "60 m", "90 m"]),
        ("a=7..7:1", vec!["7"]),
        ("a=../x.csv,../y.csv", vec!["../x.csv", "../y.csv"]),
        ("a=x..y", vec!["x..y"]),
    ] {
        assert_eq!(axes(&[text])[0].grid(), values, "{text}");
    }
}

#[test]
fn draws_cover_a_range_evenly_and_stay_in_it() {
    let axes = axes(&["a=1..4", "b=x,y", "c=0.0..1.0"]);
    let draw = |seed| points(&axes, Design::Random { points: 4000, seed }).unwrap();
    let found = draw(7);
    assert_eq!(found, draw(7), "the same for a seed");
    assert_ne!(found, draw(8), "and another for another");
    for (axis, value, share) in [(0, "1", 0.25), (0, "4", 0.25), (1, "x", 0.5)] {
        let count = found.iter().filter(|point| point[axis] == value).count();
        let off = f64::from(u32::try_from(count).unwrap()) / 4000.0 - share;
        assert!(off.abs() < 0.04, "{value} off by {off}");
    }
    let fractions: Vec<f64> = found.iter().map(|point| point[2].parse().unwrap()).collect();
    assert!(fractions.iter().all(|value| (0.0..=1.0).contains(value)), "between its ends");
    let more = points(&axes, Design::Random { points: 10, seed: 7 }).unwrap();
    assert_eq!(more, found[..10], "more points do not change the first ones");
}

#[test]
fn a_latin_hypercube_has_one_point_in_each_part_of_each_axis() {
    let axes = axes(&["a=0.0..1.0", "b=1..50", "c=x,y"]);
    let draw = |seed| points(&axes, Design::Latin { points: 50, seed }).unwrap();
    let found = draw(7);
    assert_eq!(found, draw(7), "the same for a seed");
    assert_ne!(found, draw(8), "and another for another");
    let mut parts: Vec<u32> = found
        .iter()
        .map(|point| {
            let value: f64 = point[0].parse().unwrap();
            (0..50).find(|part| value < f64::from(part + 1) / 50.0 + 1e-6).unwrap()
        })
        .collect();
    parts.sort_unstable();
    assert_eq!(parts, (0..50).collect::<Vec<_>>(), "of the first axis");
    let mut whole: Vec<u32> = found.iter().map(|point| point[1].parse().unwrap()).collect();
    whole.sort_unstable();
    assert_eq!(whole, (1..=50).collect::<Vec<_>>(), "every whole number once");
    assert_eq!(found.iter().filter(|point| point[2] == "x").count(), 25, "half of them");
    // The axes are shuffled each on its own.
    let sorted = |axis: usize| {
        let mut order: Vec<usize> = (0..50).collect();
        order.sort_by(|a, b| {
            found[*a][axis].parse::<f64>().unwrap().total_cmp(&found[*b][axis].parse().unwrap())
        });
        order
    };
    assert_ne!(sorted(0), sorted(1), "the orders differ");
}

#[test]
fn what_is_no_axis_or_no_design_is_told() {
    for text in [
        "a",
        "a=",
        "=1",
        "a=3..1:2",
        "a=1..3:0",
        "a=1..3:x",
        "a=1..x:3",
        "a=1..2h30m:2",
        "a=1 W..2 kW:2",
        "a=1,2,1",
    ] {
        assert!(Axis::parse(text).is_err(), "{text}");
    }
    let twice = points(&axes(&["a=1", "a=2"]), Design::Grid).unwrap_err();
    assert!(twice.message().contains("varied twice"), "{twice:?}");
    let open = points(&axes(&["a=1..3"]), Design::Grid).unwrap_err();
    assert!(open.message().contains("needs a number of steps"), "{open:?}");
    let drawn = points(&axes(&["a=uniform(1,3)"]), Design::Grid).unwrap_err();
    assert!(drawn.message().contains("are drawn, and a grid has all"), "{drawn:?}");
    let many = points(&axes(&["a=1..100000:100000", "b=1..100000:100000"]), Design::Grid).unwrap_err();
    assert!(many.message().contains("more than 10000000 points"), "{many:?}");
}

/// What a draw at a part of all 32 bits picks.
fn at(text: &str, probability: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a probability below 1")]
    let draw = (probability * 4_294_967_296.0) as u32;
    axes(&[text])[0].values.drawn(draw)
}

#[test]
fn distributions_have_the_quantiles_of_their_formula() {
    let sigma = 0.4;
    // Quantiles of the standard normal distribution, from tables.
    for (probability, z) in
        [(0.5, 0.0), (0.975, 1.959_964), (0.025, -1.959_964), (0.99, 2.326_348), (0.1, -1.281_552)]
    {
        let expected = 20.0 * libm::exp(sigma * z);
        let found: f64 = at("a=lognormal(20.0, 0.4)", probability).parse().unwrap();
        assert!((found / expected - 1.0).abs() < 1e-5, "{probability}: {found}, {expected}");
        let whole: f64 = at("a=lognormal(2000, 0.4)", probability).parse().unwrap();
        assert!((whole - 100.0 * expected).abs() <= 0.51, "whole: {whole}, {expected}");
        let log: f64 = at("a=loguniform(0.5, 8.0)", probability).parse().unwrap();
        assert!((log / (0.5 * libm::pow(16.0, probability)) - 1.0).abs() < 1e-5, "{probability}: {log}");
        let even: f64 = at("a=uniform(-1.0, 3.0)", probability).parse().unwrap();
        assert!((even - (4.0 * probability - 1.0)).abs() < 1e-5, "{probability}: {even}");
    }
    assert_eq!(at("a=lognormal(100 kW, 0.3)", 0.5), "100 kW", "in its unit");
    assert_eq!(at("a=lognormal(2, 3)", 0.000_1), "1", "what is above 0 is at least 1");
    assert_eq!((at("a=uniform(1,4)", 0.0), at("a=uniform(1,4)", 0.999)), ("1".to_owned(), "4".to_owned()));
    assert_eq!(at("a=loguniform(10m, 90m)", 0.5), "30m");
    for text in [
        "a=lognormal(0,1)",
        "a=lognormal(1,0)",
        "a=lognormal(1,3.1)",
        "a=lognormal(1)",
        "a=lognormal(1,1 kW)",
        "a=lognormal(1h30m,1)",
        "a=uniform(2,1)",
        "a=uniform(1 W,2 kW)",
        "a=uniform(1,2,3)",
        "a=loguniform(0,2)",
        "a=normal(1,2)",
    ] {
        let problem = Axis::parse(text).unwrap_err();
        assert!(problem.message().starts_with(&format!("`{text}`: ")), "{problem:?}");
    }
}

#[test]
fn shards_share_the_runs_without_gap_or_overlap() {
    for of in 1..6 {
        for run in 0..40 {
            let owners = (1..=of).filter(|number| Shard { number: *number, of }.has(run)).count();
            assert_eq!(owners, 1, "run {run} of {of} shards");
        }
    }
    for text in ["0/3", "4/3", "1", "x/3", "1/0", ""] {
        assert!(Shard::parse(text).is_err(), "{text}");
    }
}
