use super::record::split;
use super::*;
use crate::trace::Options;

fn records(text: &str) -> (Vec<Vec<String>>, String) {
    let options = Options::default();
    let mut intake = Intake::new("t.csv", &options);
    let mut records = Vec::new();
    if let Some(mut table) = Table::open(text.as_bytes(), Layout::Delimited(b','), &mut intake) {
        while table.next(&mut intake) {
            let field = |i| String::from_utf8_lossy(table.get(i)).into_owned();
            records.push((0..table.columns.len()).map(field).collect());
        }
    }
    let told = intake.problems().to_string();
    (records, told)
}

#[test]
fn fields_are_split_as_the_csv_crate_splits_them() {
    for text in [
        "a,b\n1,2\n",
        "a,b\r\n1,2\r\n\r\n3,4",
        "a,b\n\"1,1\",2\n3,\"x\"\"y\"\n",
        "a,b\n\"two\nlines\",2\r\n,\n",
        "\"a\",b\n\"\",\"\"\n",
        "a,b\n1,\"open\nnever",
    ] {
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
        let expected: Vec<Vec<String>> =
            reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
        let (found, told) = records(text);
        if text.contains("never") {
            assert!(found.is_empty() && told.contains("t.csv:2"), "{text:?} is refused:\n{told}");
        } else {
            assert_eq!(found, expected, "{text:?}\n{told}");
        }
    }
}

#[test]
fn delimiters_are_found_wherever_they_stand() {
    for text in
        ["", ",", ",,,,,,,,,,", "1234567,9", "12345678,", "é,ü,12345678901234567890,x", "no delimiter at all"]
    {
        for shift in 0..9 {
            let text = format!("{}{text}", "x".repeat(shift));
            let mut fields = Vec::new();
            split(text.as_bytes(), b',', &mut fields);
            let found: Vec<&str> = fields.into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, text.split(',').collect::<Vec<_>>(), "{text:?}");
        }
    }
}

#[test]
fn a_column_that_may_be_meant_is_named() {
    let options = Options::default();
    let mut intake = Intake::new("t.csv", &options);
    let table =
        Table::open(b"job_id,num_gpu,ncpus,submit_time,duration\n", Layout::Delimited(b','), &mut intake)
            .unwrap();
    assert_eq!(table.require(["submit_time", "gpus", "work_time"], &mut intake), None, "two are missing");
    let told = intake.problems().to_string();
    assert!(
        told.contains("hint: is `num_gpu` meant to be `gpus`, `duration` meant to be `work_time`?"),
        "{told}"
    );
}

#[test]
fn a_line_of_another_length_is_told_with_its_number() {
    let (found, told) = records("a,b\n\"x\ny\",1\n1,2,3\n4,5\n");
    assert_eq!(found.len(), 2, "the others are read");
    assert!(told.contains("t.csv:4") && told.contains("3 fields; the header has 2"), "{told}");
}

#[test]
fn between_semicolons_a_comma_is_a_decimal_point() {
    let options = Options::default();
    let mut intake = Intake::new("t.csv", &options);
    let text = b"a;b;c\n1,5;x,y;\"-2,25\"\n1,5,0;,5;1;\n7;8;9\n";
    let mut table = Table::open(text, Layout::Delimited(b';'), &mut intake).unwrap();
    assert!(table.next(&mut intake), "a record");
    assert_eq!(
        [0, 1, 2].map(|column| table.get(column)),
        [b"1.5".as_slice(), b"x,y", b"-2.25"],
        "two numbers"
    );
    assert!(table.next(&mut intake), "what has four fields is told");
    assert_eq!(intake.problems().total(), 1, "it is told");
    assert_eq!(
        intake.notes.lines(),
        ["2 numbers with a decimal comma: read as a decimal point"],
        "it is said"
    );
}

#[test]
fn between_blanks_a_dash_stands_for_nothing() {
    let text = b"job_id gpus submit_time work_time after\na 1 0 60 -\nb 1 0 60 a\n";
    let workload = crate::trace::read_bytes("t.txt", text, None, &Options::default()).unwrap().workload;
    assert_eq!(workload.dependencies.predecessor_count(0), 0, "after nobody");
    assert_eq!(workload.dependencies.predecessor_count(1), 1, "after `a`");
    let commas = b"job_id,gpus,submit_time,work_time,after\na,1,0,60,-\nb,1,0,60,a\n";
    let told = crate::trace::read_bytes("t.csv", commas, None, &Options::default()).unwrap_err().to_string();
    assert!(told.contains("a job waits for `-`"), "between commas it is a name:\n{told}");
}
