//! Samples in Parquet, which nobody writes by hand: the tables that they hold, and how they are written.

use super::archives::{archive, trace};
use super::{NAME, Sample};
use gigawatt::trace::{Options, read_bytes};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

/// What a sample holds: its format, the types of its columns, and its rows as CSV.
const TABLES: [(&str, &str, &str); 2] = [
    (
        "opendc",
        "message schema {
            required binary id (UTF8);
            required int64 submission_time (TIMESTAMP(MILLIS,true));
            required int64 duration;
            required int64 cpu_count;
            required double cpu_capacity;
            required int64 mem_capacity;
        }",
        "id,submission_time,duration,cpu_count,cpu_capacity,mem_capacity\n\
         1132,1664582405000,7200000,16,33600,100000\n\
         1133,1664582466500,1500,16,33600,100000\n\
         1134,1664582466500,86400000,32,67200,200000\n\
         1135,1664586000000,600000,4,8400,16000\n\
         1136,1664590000000,45000,1,2100,4000\n\
         1137,1664593600000,3600001,64,134400,400000\n",
    ),
    (
        "wta",
        "message schema {
            required int64 workflow_id;
            required int64 id;
            required binary type (UTF8);
            required int64 ts_submit;
            required int64 runtime;
            required double resource_amount_requested;
            required group parents (LIST) { repeated group list { required int64 element; } }
            required group children (LIST) { repeated group list { required int64 element; } }
            required int64 user_id;
            required int64 wait_time;
        }",
        "workflow_id,id,type,ts_submit,runtime,resource_amount_requested,parents,children,user_id,wait_time\n\
         1,1,mProject,0,13000,1,,2;3,4,250\n\
         1,2,mDiffFit,0,10500,2,1,4,4,-1\n\
         1,3,mDiffFit,0,11000,2,1,4,4,0\n\
         1,4,mConcat,0,143000,8,2;3,,4,0\n\
         2,1,align,60000,3600000,16,,2,9,5000\n\
         2,2,merge,90000,40,-1,1,,-1,0\n",
    ),
];

/// A table as Parquet.
fn packed(message: &str, text: &str) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(message).unwrap());
    let mut out = Vec::new();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut file = SerializedFileWriter::new(&mut out, Arc::clone(&schema), properties).unwrap();
    let mut group = file.next_row_group().unwrap();
    for (at, field) in schema.get_fields().iter().enumerate() {
        let cells: Vec<&str> = text.lines().skip(1).map(|line| line.split(',').nth(at).unwrap()).collect();
        let numbers = || cells.iter().map(|cell| cell.parse::<i64>().unwrap()).collect::<Vec<_>>();
        let mut writer = group.next_column().unwrap().unwrap();
        match field.name() {
            "id" | "type" if field.get_physical_type() == parquet::basic::Type::BYTE_ARRAY => {
                let texts: Vec<ByteArray> = cells.iter().map(|cell| ByteArray::from(*cell)).collect();
                writer.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
            }
            "cpu_capacity" | "resource_amount_requested" => {
                let numbers: Vec<f64> = cells.iter().map(|cell| cell.parse().unwrap()).collect();
                writer.typed::<DoubleType>().write_batch(&numbers, None, None).unwrap();
            }
            "parents" | "children" => {
                let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
                for cell in cells {
                    let items: Vec<i64> = cell.split(';').filter_map(|item| item.parse().ok()).collect();
                    for place in 0..items.len().max(1) {
                        defined.push(i16::from(!items.is_empty()));
                        repeated.push(i16::from(place > 0));
                    }
                    values.extend(items);
                }
                writer.typed::<Int64Type>().write_batch(&values, Some(&defined), Some(&repeated)).unwrap();
            }
            _ => {
                writer.typed::<Int64Type>().write_batch(&numbers(), None, None).unwrap();
            }
        }
        writer.close().unwrap();
    }
    group.close().unwrap();
    file.close().unwrap();
    out
}

fn table(format: &str) -> (&'static str, &'static str) {
    let (_, message, text) = TABLES.iter().find(|(name, ..)| *name == format).unwrap();
    (message, text)
}

/// A sample with other numbers.
pub(crate) fn planted(format: &str) -> Vec<u8> {
    let (message, text) = table(format);
    packed(message, &text.replace("00,", "01,"))
}

fn path(format: &str) -> String {
    format!("{}/workloads/sample-{format}.parquet", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn samples_in_parquet_hold_their_tables() {
    // A new sample: its table above, then `GIGAWATT_WRITE_SAMPLES=1`.
    for (format, message, text) in
        TABLES.iter().filter(|_| std::env::var_os("GIGAWATT_WRITE_SAMPLES").is_some())
    {
        std::fs::write(path(format), packed(message, text)).unwrap();
    }
    for sample in Sample::all().iter().filter(|sample| sample.text().is_none()) {
        let (message, text) = table(sample.format);
        let read = |bytes: &[u8]| read_bytes(NAME, bytes, None, &Options::default()).unwrap().workload;
        assert_eq!(read(&sample.bytes), read(&packed(message, text)), "{}: the file", sample.format);
        assert_eq!(read(&sample.bytes), read(text.as_bytes()), "{}: the same as CSV", sample.format);
        assert_ne!(read(&sample.bytes), read(&planted(sample.format)), "{}: planted", sample.format);
    }
}

#[test]
fn what_samples_in_parquet_ask_for_was_worked_out_by_hand() {
    for (format, rows) in [
        (
            "opendc",
            [(0, 7200, 16), (61, 2, 16), (61, 86_400, 32), (3595, 600, 4), (7595, 45, 1), (11_195, 3601, 64)],
        ),
        ("wta", [(0, 13, 1), (0, 11, 2), (0, 11, 2), (0, 143, 8), (60, 3600, 16), (90, 1, 1)]),
    ] {
        let bytes = std::fs::read(path(format)).unwrap();
        let trace = read_bytes(NAME, &bytes, None, &Options::default()).unwrap();
        let workload = &trace.workload;
        let told: Vec<_> = (0..workload.len())
            .map(|job| {
                let request = workload.request_of(job).gpus().ceil();
                let job = workload.jobs[job as usize];
                (job.submit_time.0, job.work_time.0, request)
            })
            .collect();
        assert_eq!(told, rows, "{format}:\n{}", trace.notes);
    }
    let bytes = std::fs::read(path("wta")).unwrap();
    let workload = read_bytes(NAME, &bytes, None, &Options::default()).unwrap().workload;
    let edges: Vec<_> = workload.dependencies.edges().map(|edge| (edge.0, edge.1)).collect();
    assert_eq!(edges, [(0, 1), (0, 2), (1, 3), (2, 3), (4, 5)], "a diamond, and a pair");
    assert_eq!(workload.graphs.len(), 2, "a graph each");
}

#[test]
fn archives_in_parquet_are_read_to_the_last_row() {
    for (file, jobs, note) in [
        ("surf_month_tasks", 68_648, "how fast cores are, and how busy, is not read"),
        ("surf_week_tasks", 6295, "how fast cores are, and how busy, is not read"),
        ("surf_week_fragments", 6295, "2,323,475 fragments put together to tasks"),
    ] {
        let file = format!("traces/opendc_surf/{file}.parquet");
        if archive(&file).is_none() {
            return;
        }
        let trace = trace(&file).unwrap();
        assert_eq!((trace.format, trace.workload.len()), ("opendc", jobs), "{file}");
        assert!(trace.notes.lines().iter().any(|line| line == note), "{file}: {}", trace.notes);
        let cores = |job| trace.workload.request_of(job).gpus().ceil();
        let sixteen = (0..trace.workload.len()).all(|job| cores(job) == 16);
        assert!(sixteen || file.contains("fragments"), "{file}: every task has 16 cores");
    }
}
