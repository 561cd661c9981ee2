//! Broken input by the thousand: samples cut, repeated, swapped, filled with huge numbers and bad bytes, packed and
//! broken again. Nothing may panic; what is read must keep its promises; what is not must be told.
//!
//! `GIGAWATT_FUZZ_SECONDS=3600` goes on for that long with new seeds; a failure names its seed and its case.

use super::{Sample, check, gzip, zstd};
use gigawatt::random::{Purpose, Stream};
use gigawatt::trace::{Mapping, Moment, Options, SwfPartition};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Cases of each format in the suite.
const CASES: u32 = 3000;

/// Numbers and words where they do not belong, or just about do.
const TOKENS: &[&str] = &[
    "",
    "-1",
    "0",
    "1",
    "4294967294",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "9223372036854775808",
    "99999999999999999999999999",
    "1e308",
    "1e-9",
    "-0",
    "0.0000001",
    "nan",
    "inf",
    "None",
    "Unknown",
    "\"",
    "\"\"",
    "a\"b",
    "2017-10-09 07:01:55",
    "9999-12-31 23:59:59",
    "0000-00-00 00:00:00",
    "1969-12-31 23:59:59",
    "CANCELLED by 0",
    "UNLIMITED",
    "gres/gpu:h100=8",
    "mem=1P",
    "1-00:00:00",
    "999999999-00:00:00",
    "any",
    "a;b;c",
    "0-16777215",
    "true",
    "null",
    "[1,2]",
    "{",
    "}",
    "[[[[",
    "\\u0000",
    ";",
    ",",
    "|",
    "é",
    "2147483648",
    "0.001",
    "4294967.295",
    "1000000",
];

/// Numbers from one stream, one after the other.
struct Dice {
    stream: Stream,
    case: u32,
    thrown: u32,
}

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.thrown += 1;
        self.stream.below(u64::from(self.case), self.thrown, bound as u32) as usize
    }
    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// The pieces of a text that are fields: runs without a delimiter.
fn fields(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let delimiter = |byte: &u8| matches!(byte, b',' | b'|' | b' ' | b'\n' | b':' | b'{' | b'}');
    let mut fields = Vec::new();
    let mut start = 0;
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| delimiter(byte)) {
        fields.push(start..at);
        start = at + 1;
    }
    fields.push(start..bytes.len());
    fields
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// Breaks a text in one place.
fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    if bytes.is_empty() {
        return;
    }
    let at = dice.below(bytes.len());
    let end = (at + dice.below(40)).min(bytes.len());
    match dice.below(12) {
        0 => drop(bytes.drain(at..end)),
        1 => bytes.truncate(at),
        2 => {
            let piece = bytes[at..end].to_vec();
            let to = dice.below(bytes.len());
            bytes.splice(to..to, piece);
        }
        3 => bytes[at] ^= 1 << dice.below(8),
        4 => {
            let bad = dice.pick(&[
                &[0xff][..],
                &[0xc3],
                &[0xed, 0xa0, 0x80],
                &[0],
                b"\"",
                b"\r",
                b"\xef\xbb\xbf",
                b"\n\n",
            ]);
            bytes.splice(at..at, bad.iter().copied());
        }
        5..=7 => {
            let fields = fields(bytes);
            let field = fields[dice.below(fields.len())].clone();
            let token = dice.pick(TOKENS);
            bytes.splice(field, token.bytes());
        }
        8 => {
            let fields = fields(bytes);
            let (a, b) = (dice.below(fields.len()), dice.below(fields.len()));
            let (first, second) = (fields[a.min(b)].clone(), fields[a.max(b)].clone());
            if first.end <= second.start {
                let (x, y) = (bytes[first.clone()].to_vec(), bytes[second.clone()].to_vec());
                bytes.splice(second, x);
                bytes.splice(first, y);
            }
        }
        9 => {
            let mut lines = lines(bytes);
            let (a, b) = (dice.below(lines.len()), dice.below(lines.len()));
            lines.swap(a, b);
            *bytes = lines.concat();
        }
        10 => {
            let mut lines = lines(bytes);
            let line = lines[dice.below(lines.len())].clone();
            let times = 1 + dice.below(3);
            lines.extend(std::iter::repeat_n(line, times));
            *bytes = lines.concat();
        }
        _ => {
            let mut lines = lines(bytes);
            lines.remove(dice.below(lines.len()));
            *bytes = lines.concat();
        }
    }
}

/// Names of columns in place of a header.
fn columns(dice: &mut Dice) -> Mapping {
    let names =
        ["JobID", "State", "Submit", "Start", "End", "ElapsedRaw", "JobName", "name", "submit_time", "gpus"];
    let columns = (0..2 + dice.below(12)).map(|_| names[dice.below(names.len())].to_owned()).collect();
    Mapping { columns, ..Mapping::default() }
}

fn options(dice: &mut Dice) -> Options<'static> {
    let mut options = Options { max_unpacked: 1 << 20, ..Options::default() };
    match dice.below(10) {
        0 => options.from = Some(Moment::Seconds(dice.below(2000) as u32)),
        1 => options.until = Some(Moment::Unix(1_500_000_000 + dice.below(500_000_000) as i64)),
        2 => options.sample = 0.5,
        3 => options.scale_load = [0.001, 0.3, 7.0][dice.below(3)],
        4 => options.think_time = true,
        5 => options.swf_partition = [SwfPartition::Queue, SwfPartition::Partition][dice.below(2)],
        7 => options.skip_bad_lines = true,
        8 => options.map = Box::leak(Box::new(columns(dice))),
        6 => options.platform = Some(&|name| (name.len() < 4).then_some(name.len())),
        _ => {}
    }
    options
}

/// Runs one case; whether it was read.
fn case(sample: &Sample, seed: u64, number: u32) -> bool {
    let mut dice = Dice { stream: Stream::new(seed, Purpose::Sampling), case: number, thrown: 0 };
    let mut bytes = sample.bytes.clone();
    for _ in 0..=dice.below(4) {
        mutate(&mut bytes, &mut dice);
    }
    match dice.below(10) {
        0 => bytes = gzip(&bytes),
        1 => bytes = zstd(&bytes),
        2 | 3 => {
            bytes = if dice.below(2) == 0 { gzip(&bytes) } else { zstd(&bytes) };
            mutate(&mut bytes, &mut dice);
        }
        _ => {}
    }
    let options = options(&mut dice);
    let format = if dice.below(4) == 0 { None } else { Some(sample.format) };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let result = sample.read(&bytes, format, &options);
        let wrong = match &result {
            // Nothing of a file is named where the window leaves nothing of it.
            Err(error) if error.to_string().contains("none of the") => Ok(()),
            _ => check(&result),
        };
        wrong.map(|()| result.is_ok())
    }));
    match outcome {
        Ok(Ok(read)) => read,
        Ok(Err(wrong)) => {
            panic!("{} seed {seed} case {number}: {wrong}\n{}", sample.format, bytes.escape_ascii())
        }
        Err(_) => panic!("{} seed {seed} case {number} panics on\n{}", sample.format, bytes.escape_ascii()),
    }
}

#[test]
fn no_broken_input_breaks_a_reader() {
    let samples = Sample::all();
    for sample in &samples {
        let read = (0..CASES).filter(|number| case(sample, 1, *number)).count();
        println!("{:8} {CASES} cases, {read} read, {} refused", sample.format, CASES as usize - read);
        let share = read * 100 / CASES as usize;
        // One stray byte breaks a whole document, and what is packed.
        let least = match sample.text() {
            None => 1,
            Some(_) if sample.is_document() => 2,
            Some(_) => 5,
        };
        assert!(
            (least..95).contains(&share),
            "{}: {share} % read: too much or too little is broken",
            sample.format
        );
    }
    let Some(seconds) = std::env::var("GIGAWATT_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()) else {
        return;
    };
    #[expect(clippy::disallowed_methods, reason = "how long to go on is what the clock is asked for")]
    let start = std::time::Instant::now();
    let mut cases = 0_u64;
    for seed in 2.. {
        for sample in &samples {
            for number in 0..500 {
                case(sample, seed, number);
            }
            cases += 500;
        }
        if start.elapsed().as_secs() >= seconds {
            println!("{cases} more cases, seeds 2 to {seed}");
            return;
        }
    }
}
