//! Whatever a text says, reading it ends with a plan or with problems, and a plan that is read can be run.

use super::*;
use crate::metrics::measure;
use crate::random::{Purpose, Stream};
use crate::simulation::{Control, simulate};
use std::time::Duration;

/// Pieces that break numbers, strings and structure.
const PIECES: [&[u8]; 24] = [
    b"99999999999999999999999999999999999999999",
    b"4294967295",
    b"4294967296",
    b"-1",
    b"0",
    b"1e309",
    b"nan",
    b"0.0005",
    b"\"",
    b"\"\"\"",
    b"'",
    b"[",
    b"]]",
    b"{",
    b"}",
    b"=",
    b".",
    b"\n",
    b"\xff\xfe",
    b"\xf0\x9f",
    b"\0",
    b"true",
    b"\"50000d\"",
    b"[[workload.graph.job]]\n",
];

/// A text with a few changes, by the number of the case.
fn mutated(text: &[u8], stream: Stream, case: u64) -> Vec<u8> {
    let mut bytes = text.to_vec();
    let mut draw = 0;
    let mut below = |bound: usize| {
        draw += 1;
        stream.below(case, draw, u32::try_from(bound).expect("short texts")) as usize
    };
    for _ in 0..=below(4) {
        let (a, b) = (below(bytes.len() + 1), below(bytes.len() + 1));
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 200));
        match below(6) {
            0 => drop(bytes.drain(from..to)),
            1 => {
                let piece = bytes[from..to].to_vec();
                bytes.splice(to..to, piece);
            }
            2 => bytes.truncate(a),
            3 => bytes.splice(a..a, PIECES[below(PIECES.len())].iter().copied()).for_each(drop),
            4 => swap_lines(&mut bytes, &mut below),
            // A value of the text becomes something else.
            _ => {
                let equals: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'=').collect();
                if !equals.is_empty() {
                    let at = equals[below(equals.len())] + 1;
                    let end = bytes[at..]
                        .iter()
                        .position(|byte| *byte == b'\n')
                        .map_or(bytes.len(), |end| at + end);
                    let piece = PIECES[below(PIECES.len())].iter().copied();
                    bytes.splice(at..end, piece).for_each(drop);
                }
            }
        }
    }
    bytes
}

fn swap_lines(bytes: &mut Vec<u8>, below: &mut impl FnMut(usize) -> usize) {
    let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (a, b) = (below(lines.len()), below(lines.len()));
    lines.swap(a, b);
    *bytes = lines.join(&b'\n');
}

/// The first hours of a plan, if it is small: whether it was run. What is checked is that nothing panics and that the
/// history is sound.
fn run(mut plan: Plan) -> bool {
    const HOURS: u32 = 3 * 3600;
    let small = plan.workload.len() <= 2_000 && plan.cluster.nodes() <= 1_000;
    if small {
        plan.settings.until = Some(plan.settings.until.unwrap_or(HOURS).min(HOURS));
        let history = simulate(plan, &mut Control::default());
        if let Err(problem) = history.check() {
            panic!("a broken history: {problem}");
        }
        let waited: u64 = measure(&history).metrics.waiting_seconds.iter().sum();
        assert!(waited <= u64::from(HOURS) * u64::from(history.plan.workload.len()), "{waited} s of waiting");
    }
    small
}

#[test]
fn no_text_makes_reading_or_running_a_scenario_panic() {
    let seeds = [
        QUICKSTART.as_bytes(),
        include_bytes!("../../../workloads/two-sites.toml"),
        b"cluster = \"2x8xh100\"\n[[workload.job]]\nid = \"a\"\ncount = 3\ngpus = 1\nwork = \"1h\"\nserial = true\n",
    ];
    let stream = Stream::new(1, Purpose::Sampling);
    let seconds = std::env::var("GIGAWATT_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    #[expect(clippy::disallowed_methods, reason = "how long to go on is all the clock decides")]
    let start = std::time::Instant::now();
    let (mut fine, mut wrong, mut simulated) = (0_u32, 0_u32, 0_u32);
    for case in 0_u64.. {
        let done = match seconds {
            Some(seconds) => start.elapsed() >= Duration::from_secs(seconds),
            None => case >= 3000,
        };
        if done {
            break;
        }
        let seed = seeds[usize::try_from(case % 3).expect("below 3")];
        let text = mutated(seed, stream, case);
        let read = std::panic::catch_unwind(|| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
            let mut files = Files { folder, ..Files::default() };
            files.note(Path::new("s.toml"), &text);
            let document = Document::from_bytes("s.toml", text.clone());
            read(document, "s.toml".to_owned(), files, &Overrides::default())
                .map(|loaded| run(loaded.plan))
                .map_err(|error| error.to_string())
        });
        match read {
            Ok(Ok(small)) => {
                fine += 1;
                simulated += u32::from(small);
            }
            Ok(Err(told)) => {
                assert!(told.contains("nothing was run"), "case {case}: {told}");
                wrong += 1;
            }
            Err(_) => panic!("case {case} panicked; its text:\n{}", String::from_utf8_lossy(&text)),
        }
    }
    // Were every text broken beyond reading, nothing past the syntax would have been tried.
    assert!(fine > 0 && wrong > fine, "{fine} texts were fine and {wrong} wrong");
    assert!(simulated > fine / 2, "{simulated} of {fine} were simulated");
}
