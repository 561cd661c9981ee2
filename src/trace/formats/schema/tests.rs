use crate::trace::{Key, Mapping, Meaning, Options, StateWord, TimeUnit, Trace, read_bytes};
use crate::units::{Gpus, Time};
use crate::workload::Shape;

fn read(text: &str, map: &Mapping) -> Result<Trace, String> {
    let options = Options { map, ..Options::default() };
    read_bytes("t.csv", text.as_bytes(), None, &options).map_err(|error| error.to_string())
}

fn times(trace: &Trace) -> Vec<(u32, u32)> {
    trace.workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect()
}

fn fields(pairs: &[(Key, &str)]) -> Vec<(Key, String)> {
    pairs.iter().map(|(key, column)| (*key, (*column).to_owned())).collect()
}

#[test]
fn without_a_map_columns_are_known_by_their_names() {
    let trace =
        read("num_gpus,Arrival Time,Duration,walltime,vc\n8,10,60,120,a\n0.5,20,30,,b\n", Mapping::NONE);
    let trace = trace.unwrap();
    assert_eq!((trace.format, times(&trace)), ("table", vec![(10, 60), (20, 30)]), "{}", trace.notes);
    assert_eq!(trace.workload.jobs[0].requested_time.0, 120, "a declared estimate");
    assert_eq!(trace.workload.tenants[1].name, "b", "the VC");
    assert_eq!(trace.workload.request_of(1).gpus(), Gpus::from_milli(500), "a share");
    let said = "columns known by their names (`--map` says otherwise): gpus=num_gpus, submit_time=Arrival Time, \
                work_time=Duration, requested_time=walltime, tenant=vc";
    assert!(trace.notes.lines().iter().any(|line| line == said), "{}", trace.notes);
}

#[test]
fn a_map_says_what_is_what() {
    let map = Mapping {
        fields: fields(&[
            (Key::Pods, "n"),
            (Key::PodGpus, "per"),
            (Key::SubmitTime, "in"),
            (Key::StartTime, "from"),
            (Key::EndTime, "to"),
            (Key::State, "how"),
            (Key::Partition, "where"),
        ]),
        unit: Some(TimeUnit::Millisecond),
        units: vec![(Key::RequestedTime, TimeUnit::Minute)],
        states: vec![StateWord { word: "wonderful".to_owned(), meaning: Meaning::Completed }],
        ..Mapping::default()
    };
    let text = "n|per|in|from|to|how|where|timelimit\n\
                2|4|1000|2500|62500|wonderful|a|2\n\
                1|1|2000|||killed|a|2\n\
                1|1|3000|4000|4000|error|b|2\n\
                1|1|3000||9000|killed|b|2\n";
    let trace = read(text, &map).unwrap();
    assert_eq!(times(&trace), [(1, 60), (3, 120), (3, 120)], "{}", trace.notes);
    let shape = trace.workload.request_of(0).shape;
    assert_eq!(shape, Shape::Pods { count: 2, gpus_milli_each: 4000 }, "two pods of four");
    assert_eq!(trace.workload.jobs[0].requested_time.0, 120, "two minutes");
    let cancels: Vec<_> = trace.workload.jobs[1..].iter().map(|job| job.cancel_time).collect();
    assert_eq!(cancels, [Time(4), Time(9)], "withdrawn at their ends");
    let dropped = "that never started, and left as they came or when is not told: dropped";
    assert_eq!(trace.notes.counted("job", dropped), 1, "{}", trace.notes);
}

#[test]
fn times_are_dates_clocks_and_numbers_of_any_unit() {
    let text =
        "gpus,submit,elapsed\n1,2020/04/01,01:00:00\n1,2020-04-01T00:00:07.5Z,1-00:00:01\n1,1585699210,5\n";
    let trace = read(text, Mapping::NONE).unwrap();
    assert_eq!(times(&trace), [(0, 3600), (7, 86_401), (10, 5)], "{}", trace.notes);
    let told = read("gpus,submit,elapsed\n1,1585699210000,5\n", Mapping::NONE).unwrap_err();
    assert!(told.contains("--map unit=ms"), "{told}");
}

#[test]
fn jobs_without_an_end_run_to_the_end_of_the_trace() {
    let text = "gpus,submit_time,start_time,end_time\n1,0,5,\n1,10,20,100\n1,30,,\n1,40,,90\n";
    let trace = read(text, Mapping::NONE).unwrap();
    assert_eq!(times(&trace), [(0, 95), (10, 80), (40, 1)], "{}", trace.notes);
    assert_eq!(trace.workload.jobs[2].cancel_time, Time(90), "it left");
}

#[test]
fn an_unknown_word_for_a_state_and_a_wrong_number_are_told_with_their_lines() {
    let told = read("gpus,submit_time,duration,status\n1,0,5,odd\nx,0,5,done\n1,,5,done\n", Mapping::NONE)
        .unwrap_err();
    for piece in ["status `odd`", "t.csv:2", "gpus `x`", "t.csv:3", "no submit_time", "t.csv:4", "states"] {
        assert!(told.contains(piece), "{piece} is missing in\n{told}");
    }
}

#[test]
fn formats_of_their_own_take_no_columns() {
    let map = Mapping { fields: fields(&[(Key::Gpus, "num_gpus")]), ..Mapping::default() };
    let options = Options { map: &map, ..Options::default() };
    let text = b"timestamp,duration,num_gpus,cluster\n2017-10-09 07:01:53,66.0,1,vc\n";
    for format in [Some("philly"), None] {
        let told = read_bytes("p.csv", text, format, &options).unwrap_err().to_string();
        assert!(told.contains("`gpus` cannot be `num_gpus`") && told.contains("--format table"), "{told}");
    }
    let trace = read_bytes("p.csv", text, Some("table"), &options).unwrap();
    assert_eq!((trace.format, trace.workload.len()), ("table", 1), "a table of one's own, if that is said");
}
