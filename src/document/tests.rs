use super::*;
use crate::units::{Factor, Gpus, Seconds, Watts};

/// The problems of a text of which `read` reads what it knows.
fn problems(source: &str, settings: &[&str], read: impl Fn(&mut Table<'_>)) -> String {
    let mut document = Document::parse("a.toml", source);
    for setting in settings {
        document.set(setting);
    }
    let mut root = document.root();
    read(&mut root);
    root.finish();
    document.into_problems().to_string()
}

#[test]
fn every_problem_is_reported_in_file_order() {
    let source = "name = 7\nseed = -1\n[run]\nuntil = \"soon\"\n[[tenant]]\nquta = 8\n";
    let text = problems(source, &[], |root| {
        root.required::<String>("name");
        root.optional::<u64>("seed");
        let mut run = root.table("run").unwrap();
        run.optional::<Seconds>("until");
        run.finish();
        for mut tenant in root.tables("tenant") {
            tenant.required::<String>("name");
            tenant.optional::<Gpus>("quota");
            tenant.finish();
        }
    });
    insta::assert_snapshot!(text, @r#"
    error: `name`: expected a text, found `7`
     --> a.toml:1:8
      |
    1 | name = 7
      |        ^

    error: `seed`: expected a whole number from 0 to 18446744073709551615, found `-1`
     --> a.toml:2:8
      |
    2 | seed = -1
      |        ^^

    error: `until`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found the text `soon`
     --> a.toml:4:9
      |
    4 | until = "soon"
      |         ^^^^^^

    error: missing `name`
     --> a.toml:5:1
      |
    5 | [[tenant]]
      | ^^^^^^^^^^

    error: unknown key `quta`
     --> a.toml:6:1
      |
    6 | quta = 8
      | ^^^^
      |
      = hint: did you mean `quota`?

    5 problems; nothing was run
    "#);
}

#[test]
fn a_text_that_is_not_toml_is_reported_without_what_follows_from_it() {
    let text = problems("name = \nseed = \"x\"\n[run\n", &[], |root| {
        root.required::<String>("name");
        root.required::<String>("color");
        root.optional::<u64>("seed");
        root.table("run");
    });
    insta::assert_snapshot!(text, @r#"
    error: string values must be quoted, expected literal string
     --> a.toml:1:8
      |
    1 | name = 
      |        ^

    error: `seed`: expected a whole number from 0 to 18446744073709551615, found the text `x`
     --> a.toml:2:8
      |
    2 | seed = "x"
      |        ^^^

    error: unclosed table, expected `]`
     --> a.toml:3:5
      |
    3 | [run
      |     ^

    3 problems; nothing was run
    "#);
}

#[test]
fn bytes_that_are_not_utf8_have_their_line() {
    let document = Document::from_bytes("a.toml", b"name = 1\nx = \"\xff\"\n".to_vec());
    insta::assert_snapshot!(document.into_problems().to_string(), @r#"
    error: expected UTF-8 text, found other bytes
     --> a.toml:2:6
      |
    2 | x = "�"
      |      ^

    1 problem; nothing was run
    "#);
}

#[test]
fn an_unknown_name_has_the_nearest_as_hint() {
    let text = problems("order = \"strf\"\nplacement = [1]\n", &[], |root| {
        root.choice("order", &[("fifo", 1), ("srtf", 2)]);
        root.choice("placement", &[("first-fit", 1)]);
    });
    insta::assert_snapshot!(text, @r#"
    error: unknown order `strf`
     --> a.toml:1:9
      |
    1 | order = "strf"
      |         ^^^^^^
      |
      = hint: did you mean `srtf`?

    error: `placement`: expected a text, found a list
     --> a.toml:2:13
      |
    2 | placement = [1]
      |             ^^^

    2 problems; nothing was run
    "#);
}

#[test]
fn what_the_command_line_sets_replaces_what_the_file_says() {
    let mut document = Document::parse("a.toml", "[run]\nseed = 1\n[[tenant]]\nquota = 8\n");
    for setting in
        ["run.seed=7", "tenant.0.quota=0.5", "policy.order=sjf", "policy.list=[1, 2]", "name = x y"]
    {
        document.set(setting);
    }
    let mut root = document.root();
    let mut run = root.table("run").unwrap();
    assert_eq!(run.required::<u64>("seed").unwrap().value, 7, "replaced");
    let mut tenant = root.tables("tenant").pop().unwrap();
    assert_eq!(tenant.required::<Gpus>("quota").unwrap().value, Gpus::from_milli(500), "in a list");
    let mut policy = root.table("policy").unwrap();
    assert_eq!(policy.required::<String>("order").unwrap().value, "sjf", "text without quotes");
    assert_eq!(policy.list::<u32>("list").len(), 2, "a list");
    assert_eq!(root.required::<String>("name").unwrap().value, "x y", "text with spaces");
    root.finish();
    assert!(!document.has_problems(), "{}", document.problems());
}

#[test]
fn a_setting_that_cannot_be_is_shown_as_typed() {
    let settings =
        ["seed", "=3", "seed.x=1", "tenant.3.name=a", "tenant.0.quota.x=1", "tenant.0.quota=many", "x=1"];
    let text = problems("seed = 1\n[[tenant]]\nquota = 8\n", &settings, |root| {
        root.optional::<u64>("seed");
        for mut tenant in root.tables("tenant") {
            tenant.optional::<Gpus>("quota");
            tenant.finish();
        }
    });
    insta::assert_snapshot!(text, @r"
    error: expected `key=value`, found `seed`
    --> --set seed

    error: expected a key before `=`, found an empty one
    --> --set =3

    error: `seed` is `1`, not a table
    --> --set seed.x=1

    error: `tenant` has no entry `3`
    --> --set tenant.3.name=a
     = hint: `tenant` is a list of 1; its first entry is `tenant.0`

    error: `quota` is `8`, not a table
    --> --set tenant.0.quota.x=1

    error: `quota`: expected a number of GPUs with at most three decimals, up to 4294967, found the text `many`
    --> --set tenant.0.quota=many

    error: unknown key `x`
    --> --set x=1
     = hint: known: seed, tenant

    7 problems; nothing was run
    ");
}

#[test]
fn values_are_read_exactly_or_not_at_all() {
    let source = "seconds = [90, \"90\", \"45m\", \"1d12h\", \"2h05m\"]\n\
                  bad_seconds = [-1, 1.5, \"\", \"6 parsecs\", \"h\", \"1m1h\", \"99999999d\", 5000000000, true]\n\
                  gpus = [8, 0.5, \"0.046\", 1_000.0]\nbad_gpus = [-1, 0.0005, 1e3, nan, 99999999999999999999999999999999999999999]\n\
                  watts = [5, \"120 kW\", \"1.5MW\", \"5 GW\"]\nbad_watts = [-5, \"5 kilowatts\", \"0.0001 kW\", \"nan W\"]\n\
                  factors = [1, 0.5]\nbad_factors = [0, -1.0, inf, 1e9]\n\
                  numbers = [0xff, 0o17, -1]\nbad_numbers = [3000000000, 1.0, \"1\", 1979-05-27]\n";
    let document = Document::parse("a.toml", source);
    let mut root = document.root();
    let milli = |list: Vec<Placed<Gpus>>| list.into_iter().map(|gpus| gpus.milli()).collect::<Vec<_>>();
    assert_eq!(milli(root.list("gpus")), [8000, 500, 46, 1_000_000], "GPUs");
    let seconds: Vec<u32> = root.list::<Seconds>("seconds").iter().map(|s| s.value.0).collect();
    assert_eq!(seconds, [90, 90, 2700, 129_600, 7500], "times");
    let watts: Vec<u64> = root.list::<Watts>("watts").iter().map(|w| w.value.0).collect();
    assert_eq!(watts, [5, 120_000, 1_500_000, 5_000_000_000], "power");
    assert_eq!(root.list::<Factor>("factors").len(), 2, "factors");
    let numbers: Vec<i32> = root.list::<i32>("numbers").iter().map(|n| n.value).collect();
    assert_eq!(numbers, [255, 15, -1], "numbers");
    assert!(!document.has_problems(), "{}", document.problems());
    let bad = [
        root.list::<Seconds>("bad_seconds").len(),
        milli(root.list("bad_gpus")).len(),
        root.list::<Watts>("bad_watts").len(),
        root.list::<Factor>("bad_factors").len(),
        root.list::<i32>("bad_numbers").len(),
    ];
    assert_eq!(bad, [0; 5], "nothing wrong is read: {}", document.problems());
    assert_eq!(document.problems().total(), 9 + 5 + 4 + 4 + 4, "{}", document.problems());
}

#[test]
fn a_lone_table_counts_as_a_list_of_one_and_keys_chosen_by_the_user_come_in_file_order() {
    let document = Document::parse("a.toml", "tenant = { name = \"a\" }\n[template.z]\n[template.a]\n");
    let mut root = document.root();
    assert_eq!(root.tables("tenant").len(), 1, "one");
    let names: Vec<String> = root.named_tables("template").into_iter().map(|(name, _)| name.value).collect();
    assert_eq!(names, ["z", "a"], "as in the file");
    root.finish();
    // `name` of the tenant was never asked for, but its table was not finished either.
    assert!(!document.has_problems(), "{}", document.problems());
}
