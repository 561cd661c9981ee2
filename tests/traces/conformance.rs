//! What every reader must do alike.

use super::{NAME, Read, Sample, check, gzip, zstd};
use gigawatt::trace::{Moment, Options, read_bytes};
use gigawatt::workload::Workload;

fn jobs(read: Read) -> Option<Workload> {
    match read {
        Read::Jobs(trace) => Some(trace.workload),
        Read::Nodes(_) => None,
    }
}

#[test]
fn every_sample_is_recognised_and_reads_the_same_however_it_is_packed() {
    for sample in Sample::all() {
        let options = Options::default();
        let plain =
            sample.read(&sample.bytes, Some(sample.format), &options).unwrap_or_else(|e| panic!("{e}"));
        check(&Ok(plain)).unwrap_or_else(|wrong| panic!("{}: {wrong}", sample.format));
        let plain = format!("{:?}", sample.read(&sample.bytes, Some(sample.format), &options).unwrap());
        let mut ways = vec![
            ("auto", sample.bytes.clone()),
            ("gzip", gzip(&sample.bytes)),
            ("zstd", zstd(&sample.bytes)),
            ("zstd in two frames", [zstd(&sample.bytes[..50]), zstd(&sample.bytes[50..])].concat()),
            ("gzip in two members", [gzip(&sample.bytes[..50]), gzip(&sample.bytes[50..])].concat()),
        ];
        if let Some(text) = sample.text() {
            let utf_16 = |encode: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(encode).collect();
            ways.extend([
                ("line ends of Windows", text.replace('\n', "\r\n").into_bytes()),
                ("a byte order mark", [b"\xef\xbb\xbf".as_slice(), &sample.bytes].concat()),
                ("no last newline", text.trim_end().as_bytes().to_vec()),
                ("line ends of old", text.replace('\n', "\r").into_bytes()),
                ("UTF-16 without a mark", utf_16(u16::to_le_bytes)),
                ("UTF-16 of big ends without a mark", utf_16(u16::to_be_bytes)),
            ]);
        }
        for (how, bytes) in ways {
            let read = sample
                .read(&bytes, None, &options)
                .unwrap_or_else(|e| panic!("{} {how}: {e}", sample.format));
            assert_eq!(format!("{read:?}"), plain, "{} {how}", sample.format);
        }
        let planted = match sample.text() {
            Some(text) => text.replace('1', "2").into_bytes(),
            None => super::parquet::planted(sample.format),
        };
        let differs = sample.read(&planted, Some(sample.format), &options);
        assert_ne!(
            differs.map(|read| format!("{read:?}")).ok(),
            Some(plain),
            "{}: a planted difference",
            sample.format
        );
    }
}

#[test]
fn the_order_of_lines_decides_nothing_but_the_order_of_jobs() {
    // One document has no lines to turn.
    let of_lines = |sample: &&Sample| !sample.nodes && !sample.is_document() && sample.text().is_some();
    for sample in Sample::all().iter().filter(of_lines) {
        let lines: Vec<&[u8]> =
            sample.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let is_head = |line: &&[u8]| line.starts_with(b";") || line.starts_with(b"#");
        let head = match sample.format {
            "swf" | "gwf" => lines.iter().take_while(|line| is_head(line)).count(),
            "jsonl" | "gavel" => 0,
            _ => 1,
        };
        let turned: Vec<&[u8]> = lines[..head].iter().chain(lines[head..].iter().rev()).copied().collect();
        let sorted = |bytes: &[u8]| {
            let workload = jobs(sample.read(bytes, None, &Options::default()).unwrap()).unwrap();
            let job = |index: usize| {
                let (job, request) =
                    (&workload.jobs[index], &workload.requests[workload.jobs[index].request as usize]);
                let tenant = &workload.tenants[job.tenant as usize].name;
                format!(
                    "{} {} {} {} {} {tenant}",
                    job.submit_time.0,
                    job.work_time.0,
                    job.requested_time.0,
                    job.cancel_time.0,
                    request.gpus()
                )
            };
            let mut all: Vec<String> = (0..workload.jobs.len()).map(job).collect();
            let first = all[0].clone();
            all.sort();
            (all, first)
        };
        let (straight, turned) = (sorted(&sample.bytes), sorted(&turned.join(&b'\n')));
        assert_eq!(straight.0, turned.0, "{}: the same jobs", sample.format);
        assert_ne!(straight.1, turned.1, "{}: in another order", sample.format);
    }
}

#[test]
fn an_input_cut_anywhere_is_read_or_refused_by_name() {
    for sample in Sample::all() {
        for (bytes, packed) in
            [(sample.bytes.clone(), false), (gzip(&sample.bytes), true), (zstd(&sample.bytes), true)]
        {
            for cut in 0..bytes.len() {
                for format in [Some(sample.format), None] {
                    let result = sample.read(&bytes[..cut], format, &Options::default());
                    check(&result).unwrap_or_else(|wrong| panic!("{} cut at {cut}: {wrong}", sample.format));
                    assert!(!packed || result.is_err(), "{} packed and cut at {cut}", sample.format);
                }
            }
        }
    }
}

#[test]
fn any_byte_may_be_garbage() {
    for sample in Sample::all() {
        let mut refused = 0;
        for at in 0..sample.bytes.len() {
            for garbage in [0xff, 0, b'"', b'\n', b'9', b'-', b',', b'|', b' ', b'{'] {
                let mut bytes = sample.bytes.clone();
                bytes[at] = garbage;
                let result = sample.read(&bytes, Some(sample.format), &Options::default());
                check(&result)
                    .unwrap_or_else(|wrong| panic!("{} with {garbage} at {at}: {wrong}", sample.format));
                refused += usize::from(result.is_err());
            }
        }
        assert!(refused > 100, "{}: only {refused} refused", sample.format);
    }
}

#[test]
fn problems_of_many_lines_are_told_together_with_file_and_line() {
    for sample in Sample::all() {
        let Some(text) = sample.text() else { continue };
        // The first lines that are left whole, of which a document of JSON has few.
        let first = if sample.nodes || sample.is_document() { 3 } else { 6 };
        let broken: Vec<String> = text
            .lines()
            .enumerate()
            .map(|(i, line)| if i >= first { format!("{line}|,x y {{") } else { line.to_owned() })
            .collect();
        let swf = sample.format == "swf"; // Whatever follows the 18 numbers of a line is passed over.
        let text = if swf { text.replace(" -1 -1 -1\n", "\n") } else { broken.join("\n") };
        let told =
            sample.read(text.as_bytes(), Some(sample.format), &Options::default()).unwrap_err().to_string();
        assert!(told.contains(&format!("--> {NAME}:")), "{}:\n{told}", sample.format);
    }
}

#[test]
fn what_no_format_recognises_lists_them_all() {
    for bytes in [b"".as_slice(), b"\n\n", b"hello\n", b"a,b,c\n1,2,3\n", b"[{}]"] {
        let told = read_bytes(NAME, bytes, None, &Options::default()).unwrap_err().to_string();
        assert!(told.contains(NAME), "{told}");
        let empty = bytes.trim_ascii().is_empty();
        let all: Vec<_> = gigawatt::trace::FORMATS.iter().map(|format| format.name).collect();
        let table = bytes.starts_with(b"a,b,c");
        assert!(empty || table || told.contains(&all.join(", ")), "{told}");
        let command = "gigawatt inspect input.txt --map 'gpus=?,submit_time=?,work_time=?'";
        assert!(!table || told.contains(command), "{told}");
    }
    let told = read_bytes(NAME, b"x", Some("swift"), &Options::default()).unwrap_err().to_string();
    assert!(told.contains("unknown format `swift`"), "{told}");
    let both = b"timestamp,duration,num_gpus,cluster,submit_time,gpus,work_time\n";
    let told = read_bytes(NAME, both, None, &Options::default()).unwrap_err().to_string();
    assert!(told.contains("could be philly, csv") && told.contains("--format"), "{told}");
}

/// Jobs a minute apart, with a gang that is withdrawn.
fn minutes() -> String {
    let mut text = "job_id,submit_time,gpus,work_time,cancel_time,after\n".to_owned();
    for minute in 0..1000 {
        let cancel = if minute == 30 { "1900" } else { "" };
        let after = if minute == 31 { "m5;m30" } else { "" };
        text.push_str(&format!("m{minute},{},1,60,{cancel},{after}\n", minute * 60));
    }
    text
}

#[test]
fn a_window_is_cut_and_becomes_time_0() {
    let text = minutes();
    let options = Options {
        from: Some(Moment::Seconds(1800)),
        until: Some(Moment::Seconds(3600)),
        ..Options::default()
    };
    let trace = read_bytes(NAME, text.as_bytes(), None, &options).unwrap();
    let workload = &trace.workload;
    assert_eq!((workload.len(), workload.names.get(0).as_ref()), (30, "m30"), "from 1800 on, before 3600");
    assert_eq!((workload.jobs[0].submit_time.0, workload.jobs[29].submit_time.0), (0, 1740), "shifted");
    assert_eq!(workload.jobs[0].cancel_time.0, 100, "as patient as before");
    assert_eq!(
        workload.dependencies.edges().map(|(a, b, _)| (a, b)).collect::<Vec<_>>(),
        [(0, 1)],
        "m5 is gone"
    );
    let notes = trace.notes.lines();
    assert!(notes.contains(&"970 jobs left out by the window (from, until)".to_owned()), "{notes:?}");
    assert!(
        notes.contains(&"1 dependency on or of a job outside the window: left out".to_owned()),
        "{notes:?}"
    );
    let nothing = Options { from: Some(Moment::Seconds(100_000)), ..Options::default() };
    let told = read_bytes(NAME, text.as_bytes(), None, &nothing).unwrap_err().to_string();
    assert!(told.contains("none of the 1000 jobs"), "{told}");
    let dates = Options { from: Some(Moment::Unix(1_800_000_000)), ..Options::default() };
    let told = read_bytes(NAME, text.as_bytes(), None, &dates).unwrap_err().to_string();
    assert!(told.contains("does not say when it began"), "{told}");
}

#[test]
fn a_window_or_a_sample_shields_from_what_lies_outside_it() {
    let text = "submit_time,gpus,work_time,partition\n0,1,60,a\n100,1,60,b\n200,1,60,c\n300,1,60,b\n";
    let options =
        Options { from: Some(Moment::Seconds(50)), until: Some(Moment::Seconds(150)), ..Options::default() };
    let workload = read_bytes(NAME, text.as_bytes(), None, &options).unwrap().workload;
    assert_eq!(workload.partitions, ["all", "b"], "a and c are named outside of it");
    assert_eq!(workload.request_of(0).partition, 1, "b");
    for seed in 0..20 {
        let options = Options { sample: 0.5, seed, ..Options::default() };
        let Ok(trace) = read_bytes(NAME, text.as_bytes(), None, &options) else { continue };
        let workload = trace.workload;
        let named = |name: &String| {
            workload.requests.iter().any(|r| workload.partitions[r.partition as usize] == *name)
        };
        assert!(workload.partitions[1..].iter().all(named), "{:?}", workload.partitions);
    }
}

#[test]
fn a_window_of_dates_needs_an_epoch() {
    let text = "submit_time,gpus,work_time\n2026-01-01 00:00:00,1,1\n2026-01-02 00:00:00,1,1\n";
    let from = Some("2026-01-01 12:00:00".parse().unwrap());
    let workload =
        read_bytes(NAME, text.as_bytes(), None, &Options { from, ..Options::default() }).unwrap().workload;
    assert_eq!((workload.len(), workload.jobs[0].submit_time.0), (1, 43_200), "the second, half a day in");
    assert_eq!(workload.epoch, Some(1_767_268_800), "noon");
}

#[test]
fn twice_the_load_halves_the_time_between_submits() {
    let text = minutes();
    for (scale_load, last, cancel) in
        [(2.0, 29_970, 900 + 100), (0.5, 119_880, 3600 + 100), (3.0, 19_980, 600 + 100)]
    {
        let options = Options { scale_load, ..Options::default() };
        let workload = read_bytes(NAME, text.as_bytes(), None, &options).unwrap().workload;
        assert_eq!(workload.jobs[999].submit_time.0, last, "{scale_load}");
        assert_eq!(workload.jobs[30].cancel_time.0, cancel, "patience is not scaled");
        assert_eq!(workload.jobs[999].work_time.0, 60, "nor is work");
    }
    let options = Options { scale_load: 0.000_001, ..Options::default() };
    let told = read_bytes(NAME, text.as_bytes(), None, &options).unwrap_err().to_string();
    assert!(told.contains("beyond 136 years"), "{told}");
}

#[test]
fn a_sample_keeps_its_share_and_depends_on_the_seed_alone() {
    let text = minutes();
    let read = |sample, seed| {
        let options = Options { sample, seed, ..Options::default() };
        read_bytes(NAME, text.as_bytes(), None, &options).unwrap().workload
    };
    let (quarter, again, other) = (read(0.25, 1), read(0.25, 1), read(0.25, 2));
    assert!((200..300).contains(&quarter.len()), "{} of 1000", quarter.len());
    assert_eq!(quarter, again, "the same seed");
    assert_ne!(quarter, other, "another seed");
    let larger = read(0.5, 1);
    let names = |workload: &Workload| -> Vec<String> {
        (0..workload.jobs.len()).map(|job| workload.names.get(job).into_owned()).collect()
    };
    let kept = names(&larger);
    assert!(names(&quarter).iter().all(|name| kept.contains(name)), "a larger sample holds the smaller one");
    assert_eq!(read(1.0, 1).len(), 1000, "all of them");
    let dated =
        "timestamp,duration,num_gpus,cluster\n2017-10-09 07:00:00,60,1,a\n2017-10-09 08:00:00,60,1,a\n";
    let starts = (0..20).filter_map(|seed| {
        let options = Options { sample: 0.5, seed, ..Options::default() };
        let workload = read_bytes(NAME, dated.as_bytes(), None, &options).ok()?.workload;
        workload.jobs.last().map(|job| (job.submit_time.0, workload.epoch))
    });
    for (last, epoch) in starts {
        assert!(last == 0 || last == 3600, "time 0 is that of the whole trace: {last}");
        assert_eq!(epoch, Some(1_507_532_400), "and its date");
    }
}

#[test]
fn running_jobs_are_at_time_0_whatever_the_clock() {
    let text =
        "submit_time,gpus,work_time,elapsed_time\n2026-01-01 00:00:00,1,100,30\n2026-03-01 00:00:00,1,1,\n";
    let workload = read_bytes(NAME, text.as_bytes(), None, &Options::default()).unwrap().workload;
    let times: Vec<_> = workload.jobs.iter().map(|job| (job.submit_time.0, job.work_time.0)).collect();
    assert_eq!(times, [(0, 70), (0, 1)], "70 s are left, and the first submit is time 0");
    assert_eq!(workload.running[0].job, 0, "it runs");
}

#[test]
fn a_bomb_is_refused_before_it_fills_the_memory() {
    let options = Options { max_ratio: 100, ..Options::default() };
    let zeros = vec![b' '; 80 << 20];
    for (kind, bomb) in [("gzip", gzip(&zeros)), ("zstd", zstd(&zeros))] {
        let told = read_bytes(NAME, &bomb, None, &options).unwrap_err().to_string();
        assert!(told.contains("unpacks to more than 64 MiB") && told.contains(kind), "{told}");
        let limit = Options { max_unpacked: 1 << 20, ..Options::default() };
        let told = read_bytes(NAME, &bomb, None, &limit).unwrap_err().to_string();
        assert!(told.contains("unpacks to more than 1 MiB"), "{told}");
        let patient = Options { max_ratio: u64::MAX, ..Options::default() };
        let told = read_bytes(NAME, &bomb, None, &patient).unwrap_err().to_string();
        assert!(told.contains("is empty"), "unpacked it is nothing but blanks: {told}");
    }
}
