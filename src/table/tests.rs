use super::*;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field;
use std::ops::RangeInclusive;

/// A row of everything.
#[derive(Debug, Clone, Default)]
struct Row {
    whole: Option<i128>,
    decimal: Option<(i64, u32)>,
    real: f64,
    text: String,
    name: String,
    unix: Option<i64>,
    nodes: Vec<RangeInclusive<u32>>,
    after: Vec<&'static str>,
}

fn head(name: &'static str, kind: Kind) -> Head<'static> {
    Head { name, unit: "s", kind, about: "something", since: "0.1.0" }
}

fn columns() -> [Column<Row>; 8] {
    [
        Column {
            head: head("whole", Kind::Integer),
            write: |row, cells| row.whole.into_iter().for_each(|number| cells.whole(number)),
        },
        Column {
            head: head("decimal", Kind::Real),
            write: |row, cells| {
                row.decimal.into_iter().for_each(|(number, places)| cells.decimal(number, places));
            },
        },
        Column { head: head("real", Kind::Real), write: |row, cells| cells.real(row.real) },
        Column { head: head("text", Kind::Text), write: |row, cells| cells.text(&row.text) },
        Column { head: head("name", Kind::Name), write: |row, cells| cells.text(&row.name) },
        Column {
            head: head("at", Kind::Instant),
            write: |row, cells| row.unix.into_iter().for_each(|unix| cells.instant(unix)),
        },
        Column {
            head: head("nodes.held", Kind::Indices),
            write: |row, cells| cells.indices("n", |found| found.extend(row.nodes.iter().cloned())),
        },
        Column {
            head: head("after", Kind::Texts),
            write: |row, cells| cells.texts(row.after.iter().copied()),
        },
    ]
}

fn written(encoding: Encoding, batches: &[Vec<Row>]) -> io::Result<Vec<u8>> {
    let (columns, mut bytes) = (columns(), Vec::new());
    let mut writer = Writer::new(encoding, &columns, &mut bytes)?;
    batches.iter().try_for_each(|rows| writer.rows(rows))?;
    writer.finish()?;
    Ok(bytes)
}

/// The cells of a Parquet file as CSV would have them.
fn read(bytes: Vec<u8>) -> Vec<Vec<String>> {
    let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let cell = |field: &Field| match field {
        Field::Null => String::new(),
        Field::Long(number) => number.to_string(),
        Field::Double(number) if number.fract() == 0.0 => format!("{number:.1}"),
        Field::Double(number) => number.to_string(),
        Field::Str(text) => text.clone(),
        Field::TimestampMillis(millis) => jiff::Timestamp::from_millisecond(*millis).unwrap().to_string(),
        Field::ListInternal(list) => {
            let element = |element: &Field| match element {
                Field::Str(text) => text.clone(),
                other => format!("n{other}"),
            };
            list.elements().iter().map(element).collect::<Vec<_>>().join(";")
        }
        other => panic!("no cell is {other:?}"),
    };
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().get_column_iter().map(|(_, field)| cell(field)).collect()).collect()
}

use bytes::Bytes;

fn rows() -> Vec<Row> {
    let full = Row {
        whole: Some(i64::MAX.into()),
        decimal: Some((-1_046, 3)),
        real: 0.1,
        text: "a \"quoted\", name\nof two lines".to_owned(),
        name: "job-17".to_owned(),
        unix: Some(1_700_000_000),
        nodes: vec![3..=5, 9..=9],
        after: vec!["train", "a,b"],
    };
    let empty = Row { real: f64::NAN, ..Row::default() };
    let zero = Row { whole: Some(0), decimal: Some((0, 6)), unix: Some(-1), ..Row::default() };
    let one = Row {
        whole: Some(-7),
        decimal: Some((1_500_000, 6)),
        nodes: vec![17..=17],
        after: vec!["train"],
        ..full.clone()
    };
    vec![full, empty, zero, one]
}

#[test]
fn a_list_of_indices_is_no_number_and_what_is_not_known_is_empty() {
    let text = String::from_utf8(written(Encoding::Csv, &[rows()]).unwrap()).unwrap();
    insta::assert_snapshot!(text, @r#"
    whole,decimal,real,text,name,at,nodes.held,after
    9223372036854775807,-1.046,0.1,"a ""quoted"", name
    of two lines",job-17,2023-11-14T22:13:20Z,n3-5;n9,"train;a,b"
    ,,,,,,,
    0,0.0,0.0,,,1969-12-31T23:59:59Z,,
    -7,1.5,0.1,"a ""quoted"", name
    of two lines",job-17,2023-11-14T22:13:20Z,n17,train
    "#);
}

#[test]
fn parquet_holds_what_csv_holds() {
    for batches in [vec![], vec![vec![]], vec![rows()], vec![rows(), vec![], rows(), vec![rows()[1].clone()]]]
    {
        let text = written(Encoding::Csv, &batches).unwrap();
        let mut csv = csv::Reader::from_reader(&*text);
        let lists = |cell: &str| cell.replace("n3-5", "n3;n4;n5");
        let expected: Vec<Vec<String>> =
            csv.records().map(|row| row.unwrap().iter().map(lists).collect()).collect();
        assert_eq!(
            read(written(Encoding::Parquet, &batches).unwrap()),
            expected,
            "{} batches",
            batches.len()
        );
    }
    let other = vec![Row { decimal: Some((-1_047, 3)), ..rows()[0].clone() }];
    let [one, other] =
        [vec![rows()[0].clone()], other].map(|rows| written(Encoding::Parquet, &[rows]).unwrap());
    assert_ne!(read(one), read(other), "a thousandth is noticed");
}

/// Rows that fill many pages: stretches of one value and of none, steps of every width, new words late, long lists.
fn many() -> Vec<Row> {
    let row = |index: u64| {
        let stretch = index / 1000;
        // The same for every machine.
        let drawn = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index << 7);
        let whole = match stretch % 5 {
            0 => Some(i128::from(stretch)),
            1 => None,
            2 => Some(i128::from(drawn.cast_signed() >> (stretch % 64))),
            3 => (!drawn.is_multiple_of(3)).then_some(i128::from(index * 7)),
            _ => Some(i128::from(if index.is_multiple_of(2) { i64::MIN } else { i64::MAX })),
        };
        let nodes = |length: u64| {
            let first = u32::try_from(drawn % 1_000_000).unwrap();
            (0..length)
                .map(|place| first + 9 * u32::try_from(place).unwrap())
                .map(|node| node..=node + 4)
                .collect()
        };
        Row {
            whole,
            real: if stretch % 3 == 1 { f64::NAN } else { index as f64 / 3.0 },
            text: if stretch % 7 == 3 {
                String::new()
            } else {
                format!("word {}", drawn % (1 + stretch * stretch))
            },
            name: format!("job-{}", index * 13),
            unix: (!drawn.is_multiple_of(5)).then_some((index * 11).cast_signed()),
            nodes: nodes(if stretch == 2 { drawn % 60 } else { drawn % 3 }),
            ..Row::default()
        }
    };
    (0..40_000).map(row).collect()
}

#[test]
fn many_pages_hold_what_csv_holds() {
    let rows = many();
    let found = read(written(Encoding::Parquet, std::slice::from_ref(&rows)).unwrap());
    assert_eq!(found.len(), rows.len(), "every row");
    for (row, found) in rows.iter().zip(&found) {
        let nodes: Vec<String> = row.nodes.iter().cloned().flatten().map(|node| format!("n{node}")).collect();
        let at = row.unix.map(|unix| jiff::Timestamp::from_second(unix).unwrap().to_string());
        let whole = row.whole.map(|whole| whole.to_string());
        assert_eq!(
            [&found[0], &found[3], &found[4], &found[5], &found[6]],
            [&whole.unwrap_or_default(), &row.text, &row.name, &at.unwrap_or_default(), &nodes.join(";")],
            "{row:?}"
        );
        let real = found[2].parse().unwrap_or(f64::NAN);
        assert!(real.total_cmp(&row.real).is_eq() || real.is_nan() && row.real.is_nan(), "{row:?}");
    }
}

#[test]
fn equal_tables_are_equal_files_and_say_what_their_columns_are() {
    let bytes = written(Encoding::Parquet, &[rows()]).unwrap();
    assert_eq!(bytes, written(Encoding::Parquet, &[rows()]).unwrap(), "on whatever threads");
    let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let said = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let said: serde_json::Value = serde_json::from_str(said[0].value.as_ref().unwrap()).unwrap();
    assert_eq!(said["nodes.held"], serde_json::json!({"unit": "s", "about": "something", "since": "0.1.0"}));
}

#[test]
fn what_does_not_fit_is_an_error() {
    let large =
        |whole: i128, node: u32| Row { whole: Some(whole), nodes: vec![node..=node], ..Row::default() };
    for (row, expected) in [
        (large(i128::from(i64::MAX) + 1, 0), "9223372036854775808 is beyond 64 bits"),
        (large(0, u32::MAX), "index 4294967295 is beyond 31 bits"),
    ] {
        let told = written(Encoding::Parquet, &[vec![row]]).unwrap_err().to_string();
        assert_eq!(told, expected, "nothing is cut off");
    }
    let (mut bytes, heads) = (Vec::new(), [head("a", Kind::Real), head("b", Kind::Real)]);
    let mut file = parquet::File::new(&mut bytes, &heads).unwrap();
    let column = |count: usize| {
        let mut cells = Cells::new(Kind::Real);
        (0..count).for_each(|_| cells.end());
        cells
    };
    assert!(file.group(vec![column(2), column(2)]).is_ok(), "as long as each other");
    let told = file.group(vec![column(2), column(3)]).unwrap_err().to_string();
    assert!(told.contains("Incorrect number of rows"), "{told}");
}
