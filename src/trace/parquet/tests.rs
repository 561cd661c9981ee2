use super::*;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

/// One column of a file: values, and levels where it may be null or a list.
enum Values {
    Bool(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Double(Vec<f64>),
    Texts(Vec<&'static str>),
}

type Written = (Values, Option<Vec<i16>>, Option<Vec<i16>>);

fn file(message: &str, columns: &[Written]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(message).unwrap());
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut out = Vec::new();
    let mut file = SerializedFileWriter::new(&mut out, schema, Arc::new(properties)).unwrap();
    let mut group = file.next_row_group().unwrap();
    for (values, defined, repeated) in columns {
        let (defined, repeated) = (defined.as_deref(), repeated.as_deref());
        let mut writer = group.next_column().unwrap().unwrap();
        match values {
            Values::Bool(values) => writer.typed::<BoolType>().write_batch(values, defined, repeated),
            Values::Int32(values) => writer.typed::<Int32Type>().write_batch(values, defined, repeated),
            Values::Int64(values) => writer.typed::<Int64Type>().write_batch(values, defined, repeated),
            Values::Double(values) => writer.typed::<DoubleType>().write_batch(values, defined, repeated),
            Values::Texts(values) => {
                let values: Vec<ByteArray> = values.iter().map(|text| ByteArray::from(*text)).collect();
                writer.typed::<ByteArrayType>().write_batch(&values, defined, repeated)
            }
        }
        .unwrap();
        writer.close().unwrap();
    }
    group.close().unwrap();
    file.close().unwrap();
    out
}

fn read(bytes: Vec<u8>) -> Result<String, String> {
    let text = table("t.parquet", bytes, &Options::default());
    text.map(|text| String::from_utf8(text).unwrap()).map_err(|error| error.to_string())
}

#[test]
fn every_type_is_text() {
    let message = "message jobs {
        required int64 instant (TIMESTAMP(MILLIS,true));
        required int32 day (DATE);
        required int32 price (DECIMAL(9,3));
        required int32 count (INTEGER(32,false));
        optional boolean told;
        required double share;
        required binary name (UTF8);
        required group after (LIST) { repeated group list { required binary element (UTF8); } }
        required group pairs (MAP) { repeated group key_value { required int32 key; required int32 value; } }
        required group inner { required int64 depth; }
    }";
    let columns = [
        (Values::Int64(vec![1_507_532_515_250, -1]), None, None),
        (Values::Int32(vec![1, 0]), None, None),
        (Values::Int32(vec![-1_500, 7]), None, None),
        (Values::Int32(vec![-1, 8]), None, None),
        (Values::Bool(vec![true]), Some(vec![1, 0]), None),
        (Values::Double(vec![0.5, 8.0]), None, None),
        (Values::Texts(vec!["a,\"b\"", "c"]), None, None),
        (Values::Texts(vec!["x", "y"]), Some(vec![1, 1, 0]), Some(vec![0, 1, 0])),
        (Values::Int32(vec![]), Some(vec![0, 0]), Some(vec![0, 0])),
        (Values::Int32(vec![]), Some(vec![0, 0]), Some(vec![0, 0])),
        (Values::Int64(vec![3, 4]), None, None),
    ];
    let expected = "instant,day,price,count,told,share,name,after,inner.depth\n\
        2017-10-09T07:01:55.25Z,1970-01-02T00:00:00Z,-1.500,4294967295,true,0.5,\"a,\"\"b\"\"\",x;y,3\n\
        1969-12-31T23:59:59.999Z,1970-01-01T00:00:00Z,0.007,8,,8,c,,4\n";
    assert_eq!(read(file(message, &columns)), Ok(expected.to_owned()), "no map, no list of lists");
}

/// A million rows of one number each in a few hundred bytes.
fn bomb() -> Vec<u8> {
    file("message jobs { required int64 gpus; }", &[(Values::Int64(vec![8; 1 << 20]), None, None)])
}

#[test]
fn a_bomb_is_refused_by_its_rows() {
    let bomb = bomb();
    assert!(bomb.len() < 4096, "{} bytes", bomb.len());
    assert_eq!(read(bomb.clone()).map(|text| text.lines().count()), Ok((1 << 20) + 1), "64 MiB are allowed");
    let options = Options { max_unpacked: 1 << 19, ..Options::default() };
    let told = table("t.parquet", bomb, &options).unwrap_err().to_string();
    assert!(told.contains("1048576 rows in") && told.contains("more than 0 MiB unpacked"), "{told}");
}

#[test]
fn what_is_cut_or_no_parquet_is_told() {
    let whole = bomb();
    for bytes in
        [&whole[..whole.len() - 1], &whole[..40], b"PAR1\0\x01", b"PAR1PAR1", b"PAR1\xff\xff\xff\x7fPAR1"]
    {
        let told = read(bytes.to_vec()).unwrap_err();
        assert!(told.contains("the Parquet data is broken") && told.contains("t.parquet"), "{told}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_row() {
    let message = "message jobs {
        required binary job_id (UTF8);
        required int64 submit_time;
        required int64 gpus;
        required int64 work_time;
        required group after (LIST) { repeated group list { required binary element (UTF8); } }
    }";
    let told = |ids: Vec<&'static str>, gpus: Vec<i64>, after: Vec<&'static str>| {
        let columns = [
            (Values::Texts(ids), None, None),
            (Values::Int64(vec![0, 1, 2]), None, None),
            (Values::Int64(gpus), None, None),
            (Values::Int64(vec![60, 60, 60]), None, None),
            (Values::Texts(after), Some(vec![1, 1, 1]), Some(vec![0, 0, 0])),
        ];
        let bytes = file(message, &columns);
        let read = crate::trace::read_bytes("t.parquet", &bytes, None, &Options::default());
        read.map(|trace| trace.workload.len()).map_err(|error| error.to_string())
    };
    let ids = || vec!["two\nlines", "b", "c"];
    assert_eq!(told(ids(), vec![1, 1, 1], vec!["", "c", ""]), Ok(3), "as it should be");
    let gpus = told(ids(), vec![1, 1, -4], vec!["", "", ""]).unwrap_err();
    assert!(gpus.contains("t.parquet:3:") && gpus.contains("gpus `-4`"), "the third row:\n{gpus}");
    let after = told(vec!["a", "b", "c"], vec![1, 1, 1], vec!["", "x", ""]).unwrap_err();
    assert!(after.contains("t.parquet:2:") && after.contains("b,1,1,60,x"), "the second row:\n{after}");
    let twice = file(
        "message jobs { required int64 submit_time; required int64 gpus; required int64 work_time; required int64 gpus; }",
        &[(); 4].map(|()| (Values::Int64(vec![1]), None, None)),
    );
    let twice = crate::trace::read_bytes("t.parquet", &twice, None, &Options::default()).unwrap_err();
    assert!(twice.to_string().contains("column `gpus` stands twice"), "{twice}");
    let columns = [(); 2].map(|()| (Values::Int64(vec![1]), None, None));
    let unknown = file("message jobs { required int64 cards; required int64 came; }", &columns);
    let unknown = crate::trace::read_bytes("t.parquet", &unknown, None, &Options::default()).unwrap_err();
    let told = unknown.to_string();
    assert!(told.contains("no column is known to tell") && told.contains("cards, came"), "{told}");
    assert!(told.contains("t.parquet") && !told.contains("t.parquet:1"), "the header is no row:\n{told}");
}
