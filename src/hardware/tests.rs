use super::*;
use crate::units::Watts;

/// The embedded catalogue after a user's file.
fn with(text: &str) -> Result<Catalogue, Problems> {
    Catalogue::embedded().with_file("own.toml", text)
}
/// The embedded catalogue with some numbers of one platform changed.
fn changed(name: &str, numbers: &str) -> Result<Catalogue, Problems> {
    with(&format!("[[platform]]\nname = \"{name}\"\n{numbers}\n"))
}
fn problems(text: &str) -> String {
    with(text).expect_err("something is wrong with it").to_string()
}

#[test]
fn the_embedded_catalogue_is_read_and_starts_with_the_platform_that_draws_nothing() {
    let catalogue = Catalogue::embedded();
    let names: Vec<&str> = catalogue.names().collect();
    assert_eq!(
        names,
        ["generic", "h100", "h200", "b200", "gb200", "gb300", "vr200", "rubin-ultra", "v100", "a100"],
        "by index"
    );
    let generic = &catalogue.platforms()[0];
    assert_eq!(
        (generic.tgp(), generic.node_max(), generic.rack_tdp()),
        (Watts(0), Watts(0), Watts(0)),
        "0 W"
    );
    assert_eq!(generic.nodes_per_rack(), 1, "one rack a node");
    assert_eq!(generic.across_racks(), Factor::ONE, "no racks to cross");
    for family in Family::ALL {
        assert_eq!(generic.speed(family), Factor::ONE, "{}", family.name());
        assert_eq!(catalogue.get("h100").unwrap().speed(family), Factor::ONE, "the reference");
        assert_eq!(catalogue.speeds(family).len(), names.len(), "one a platform");
        assert_eq!(Family::from_name(family.name()), Some(family), "found by its name");
    }
    assert_eq!(catalogue.index_of("gb300"), Some(5), "found by its name");
    assert_eq!(catalogue.index_of("GB300"), None, "names are lower case");
}

/// The numbers of a catalogue that lack a unit, a basis or a source.
fn unsupported(text: &str) -> Vec<String> {
    let document: toml::Table = text.parse().expect("it is TOML");
    let mut found = Vec::new();
    for platform in document["platform"].as_array().expect("tables") {
        let platform = platform.as_table().expect("a table");
        for (key, value) in platform.iter().filter(|(_, value)| !value.is_str()) {
            for part in ["unit", "basis", "source"] {
                let text = value.get(part).and_then(toml::Value::as_str);
                if text.is_none_or(|text| text.trim().is_empty()) {
                    found.push(format!("{} {key} {part}", platform["name"]));
                }
            }
        }
    }
    found
}

#[test]
fn every_number_has_a_unit_a_basis_and_a_source() {
    assert_eq!(unsupported(EMBEDDED), [""; 0], "in the embedded catalogue");
    for (number, missing) in [
        ("tgp = 1", vec!["unit", "basis", "source"]),
        ("tgp = { value = 1, unit = \"W\", basis = \"press\" }", vec!["source"]),
        ("tgp = { value = 1, unit = \"W\", basis = \"press\", source = \" \" }", vec!["source"]),
        ("tgp = { value = 1, unit = \"W\", source = \"x\" }", vec!["basis"]),
    ] {
        let found = unsupported(&format!("[[platform]]\nname = \"x\"\n{number}\n"));
        let expected: Vec<String> = missing.iter().map(|part| format!("\"x\" tgp {part}")).collect();
        assert_eq!(found, expected, "{number}");
    }
}

#[test]
fn what_is_defined_is_the_platform_without_power_or_the_reference_itself() {
    for platform in Catalogue::embedded().platforms() {
        for Row { field, fact } in platform.rows() {
            let may = platform.name == "generic" || platform.name == "h100" && field.unit == "x H100";
            assert!(fact.basis != Basis::Defined || may, "{} {}", platform.name, field.key);
        }
    }
}

#[test]
fn every_field_is_known_of_every_platform_but_where_there_is_none() {
    for platform in &Catalogue::embedded().platforms()[1..] {
        for field in FIELDS.iter().filter(|field| platform.fact(field.key).is_none()) {
            let why = match field.key {
                "dense_fp4" => ["Volta", "Ampere", "Hopper"].contains(&platform.generation.as_str()),
                "dense_fp8" | "all_in" => ["Volta", "Ampere"].contains(&platform.generation.as_str()),
                "rent" | "rack_price" => ["rubin-ultra", "v100", "a100"].contains(&platform.name.as_str()),
                // Where the most it draws is all that is known, and where no chassis is told.
                "node_busy" | "chassis_nodes" => true,
                // The usual level.
                key if key.starts_with("draw_") => true,
                _ => false,
            };
            assert!(why, "{} lacks {}", platform.name, field.key);
        }
    }
}

/// What is odd about racks and generations: true of what is sold, though no law forbids it to a user's platform.
fn oddities(catalogue: &Catalogue) -> Vec<String> {
    let mut found = Vec::new();
    for platform in &catalogue.platforms()[1..] {
        let rack = platform.gpus_per_node() * platform.nodes_per_rack();
        if platform.nvlink_domain() != rack && platform.nvlink_domain() != platform.gpus_per_node() {
            found.push(format!("{}: NVLink joins neither a node nor a rack", platform.name));
        }
        let most = u64::from(platform.nodes_per_rack()) * platform.node_max().0 + platform.rack_overhead().0;
        if most > platform.rack_tdp().0 {
            found.push(format!("{}: a rack can draw more than its TDP", platform.name));
        }
    }
    // The older ones stand behind the others.
    let is_older = |platform: &&Platform| ["v100", "a100"].contains(&platform.name.as_str());
    let others = catalogue.platforms()[1..].iter().filter(|platform| !is_older(platform));
    let by_age: Vec<&Platform> = catalogue.platforms().iter().filter(is_older).chain(others).collect();
    for pair in by_age.windows(2) {
        for family in Family::ALL {
            if pair[1].speed(family) < pair[0].speed(family) {
                found.push(format!("{} is slower in {}", pair[1].name, family.name()));
            }
        }
        for key in ["dense_bf16", "dense_fp8", "gpu_memory", "gpu_memory_bandwidth", "nvlink_bandwidth"] {
            let value = |platform: &Platform| platform.fact(key).map_or(0.0, |fact| fact.value);
            if value(pair[1]) < value(pair[0]) {
                found.push(format!("{} has less {key}", pair[1].name));
            }
        }
    }
    found
}

#[test]
fn racks_add_up_and_newer_generations_are_not_slower() {
    assert_eq!(oddities(&Catalogue::embedded()), [""; 0], "as sold");
    for (name, numbers, odd) in [
        ("gb300", "nodes_per_rack = 17", "gb300: NVLink joins neither a node nor a rack"),
        ("gb300", "rack_overhead = 20_000", "gb300: a rack can draw more than its TDP"),
        ("vr200", "speed_decode = 4", "vr200 is slower in decode"),
        ("rubin-ultra", "gpu_memory = 100", "rubin-ultra has less gpu_memory"),
    ] {
        assert_eq!(oddities(&changed(name, numbers).unwrap()), [odd], "{numbers}");
    }
}

#[test]
fn numbers_that_contradict_each_other_are_reported() {
    for (numbers, expected) in [
        ("gpu_idle = 1500\nnode_idle = 6000", "`gpu_idle` (1500) is more than `tgp` (1400)"),
        ("node_idle = 700", "`gpus_per_node` x `gpu_idle` (800) is more than `node_idle` (700)"),
        ("tgp = 1700", "`gpus_per_node` x `tgp` (6800) is more than `node_max` (6600)"),
        ("node_idle = 6700", "`node_idle` (6700) is more than `node_max` (6600)"),
        (
            "rack_tdp = 20_000",
            "`nodes_per_rack` x `node_idle` + `rack_overhead` (27800) is more than `rack_tdp` (20000)",
        ),
        ("dense_bf16 = 6000", "`dense_bf16` (6000) is more than `dense_fp8` (5000)"),
        ("dense_fp4 = 4000", "`dense_fp8` (5000) is more than `dense_fp4` (4000)"),
        ("nvlink_domain = 2", "`gpus_per_node` (4) is more than `nvlink_domain` (2)"),
    ] {
        let text = changed("gb300", numbers).expect_err(numbers).to_string();
        assert!(text.contains(&format!("platform `gb300`: {expected}")), "{numbers}:\n{text}");
        assert!(text.contains("own.toml:1"), "it says where:\n{text}");
    }
}

#[test]
fn a_known_platform_keeps_its_index_and_what_is_not_changed() {
    let catalogue = changed("vr200", "tgp = 1800\nspeed_decode = 8.5").unwrap();
    let (before, after) = (Catalogue::embedded(), catalogue.get("vr200").unwrap());
    assert_eq!(catalogue.index_of("vr200"), before.index_of("vr200"), "the index");
    assert_eq!(after.tgp(), Watts(1800), "changed");
    assert_eq!(Some(after.speed(Family::Decode)), Factor::from_f64(8.5), "changed");
    assert_eq!(after.rack_tdp(), before.get("vr200").unwrap().rack_tdp(), "not changed");
    let fact = after.fact("tgp").unwrap();
    assert_eq!((fact.basis, fact.source.as_str()), (Basis::Defined, "own.toml"), "who said so");
}

#[test]
fn a_new_platform_stands_alone_or_starts_as_a_copy() {
    let text = "[[platform]]\nname = \"mi\"\ngpus_per_node = 8\n\
                [[platform]]\nname = \"mi2\"\nlike = \"mi\"\nspeed_other = { value = 2, unit = \"x H100\", basis = \"measured\", source = \"a run\" }\n";
    let catalogue = with(text).unwrap();
    let (alone, copy) = (catalogue.get("mi").unwrap(), catalogue.get("mi2").unwrap());
    assert_eq!(
        (alone.gpus_per_node(), alone.nodes_per_rack(), alone.tgp()),
        (8, 1, Watts(0)),
        "the rest is nothing"
    );
    assert_eq!((copy.gpus_per_node(), copy.name.as_str()), (8, "mi2"), "a copy");
    assert_eq!(copy.fact("speed_other").unwrap().basis, Basis::Measured, "as stated");
    assert_eq!(catalogue.index_of("mi2"), Some(11), "after those known before");
}

#[test]
fn the_sample_of_a_users_platforms_is_read() {
    let catalogue = with(include_str!("../../workloads/platforms.toml")).unwrap();
    assert_eq!(catalogue.get("vr200-maxq").unwrap().tgp(), Watts(1800), "a copy, changed");
    assert_eq!(catalogue.get("lab").unwrap().gpus_per_node(), 8, "a new one");
    let names: Vec<&str> = catalogue.names().collect();
    assert_eq!(names[10..], ["vr200-maxq", "lab"], "`h200` keeps its place");
}

#[test]
fn every_problem_of_a_users_platforms_is_reported_at_once() {
    let text = r#"version = 3
[[platform]]
name = "Mine"
gpus_per_node = 80
tgp = { value = 1.5, unit = "kW", basis = "rumour", sauce = "a friend" }
[[platform]]
name = "mi"
tpg = 700
[[platform]]
name = "mi"
like = "h300"
speed_other = "fast"
"#;
    insta::assert_snapshot!(problems(text), @r#"
    error: unknown key `version`
     --> own.toml:1:1
      |
    1 | version = 3
      | ^^^^^^^
      |
      = hint: known: platform

    error: `Mine` is no name for a platform
     --> own.toml:3:8
      |
    3 | name = "Mine"
      |        ^^^^^^
      |
      = hint: use up to 40 of a-z, 0-9, `-`, `_` and `.`

    error: `gpus_per_node`: expected a whole number from 0 to 64 GPUs, found `80`
     --> own.toml:4:17
      |
    4 | gpus_per_node = 80
      |                 ^^

    error: `tgp`: expected a whole number from 0 to 100000000 W, found `1.5`
     --> own.toml:5:17
      |
    5 | tgp = { value = 1.5, unit = "kW", basis = "rumour", sauce = "a friend" }
      |                 ^^^

    error: unknown unit `kW` for `tgp`
     --> own.toml:5:29
      |
    5 | tgp = { value = 1.5, unit = "kW", basis = "rumour", sauce = "a friend" }
      |                             ^^^^
      |
      = hint: write it in `W`

    error: unknown basis `rumour`
     --> own.toml:5:43
      |
    5 | tgp = { value = 1.5, unit = "kW", basis = "rumour", sauce = "a friend" }
      |                                           ^^^^^^^^
      |
      = hint: known: measured, vendor, press, inferred, defined

    error: unknown key `sauce`
     --> own.toml:5:53
      |
    5 | tgp = { value = 1.5, unit = "kW", basis = "rumour", sauce = "a friend" }
      |                                                     ^^^^^
      |
      = hint: did you mean `source`?

    error: missing `gpus_per_node`
     --> own.toml:6:1
      |
    6 | [[platform]]
      | ^^^^^^^^^^^^
      |
      = hint: or start from a known platform: `like = "h100"`

    error: unknown key `tpg`
     --> own.toml:8:1
      |
    8 | tpg = 700
      | ^^^
      |
      = hint: did you mean `tgp`?

    error: platform `mi` is described twice
      --> own.toml:10:8
       |
    10 | name = "mi"
       |        ^^^^

    error: unknown platform `h300`
      --> own.toml:11:8
       |
    11 | like = "h300"
       |        ^^^^^^
       |
       = hint: did you mean `h100`?

    error: `speed_other`: expected a number, found the text `fast`
      --> own.toml:12:15
       |
    12 | speed_other = "fast"
       |               ^^^^^^

    12 problems; nothing was run
    "#);
}

#[test]
fn a_catalogue_has_at_most_64_platforms() {
    let own: String =
        (0..55).map(|i| format!("[[platform]]\nname = \"own{i}\"\nlike = \"h100\"\n")).collect();
    let text = problems(&own);
    assert!(text.contains("more than 64 platforms") && text.contains("1 problem;"), "{text}");
}

#[test]
fn a_catalogue_survives_any_text() {
    for text in [
        "",
        "platform = 3",
        "[[platform]]\nname = \"\"",
        "[[platform]]\nname = 1",
        "\u{0}",
        "platform = [[]]",
    ] {
        let _ = with(text);
    }
    assert_eq!(with("").as_ref(), Ok(&Catalogue::embedded()), "nothing added");
}
