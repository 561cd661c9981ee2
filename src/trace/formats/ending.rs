//! How a job of an accounting log ended: what its state means, and whether it ever started.
//!
//! Evidence comes before words. A job has started if it ran for some time, had something allocated, or ended after it
//! started, whatever its state says and whatever stands as its start: Slurm writes a start for jobs that are cancelled
//! while they wait. One that never started is withdrawn at its end.

use crate::trace::intake::Intake;
use crate::trace::mapping::{Meaning, StateWord};
use memchr::memchr2;

/// Slurm's states, as words and as letters (`man sacct`, `man squeue`), with the words of its flags.
///
/// A state that says how far a job is, not how it ended, means that it is running or pending.
const STATES: &[(&str, &str, Meaning)] = &[
    ("BOOT_FAIL", "BF", Meaning::Failed),
    ("CANCELLED", "CA", Meaning::Cancelled),
    ("COMPLETED", "CD", Meaning::Completed),
    ("COMPLETING", "CG", Meaning::Running),
    ("CONFIGURING", "CF", Meaning::Pending),
    ("DEADLINE", "DL", Meaning::Failed),
    ("EXPEDITING", "EX", Meaning::Pending),
    ("FAILED", "F", Meaning::Failed),
    ("LAUNCH_FAILED", "", Meaning::Failed),
    ("NODE_FAIL", "NF", Meaning::Failed),
    ("OUT_OF_MEMORY", "OOM", Meaning::Failed),
    ("PENDING", "PD", Meaning::Pending),
    ("POWER_UP_NODE", "", Meaning::Pending),
    ("PREEMPTED", "PR", Meaning::Stopped),
    ("RECONFIG_FAIL", "", Meaning::Failed),
    ("REQUEUED", "RQ", Meaning::Stopped),
    ("REQUEUE_FED", "RF", Meaning::Pending),
    ("REQUEUE_HOLD", "RH", Meaning::Pending),
    ("RESIZING", "RS", Meaning::Running),
    ("RESV_DEL_HOLD", "RD", Meaning::Pending),
    ("REVOKED", "RV", Meaning::Stopped),
    ("RUNNING", "R", Meaning::Running),
    ("SIGNALING", "SI", Meaning::Running),
    ("SPECIAL_EXIT", "SE", Meaning::Pending),
    ("STAGE_OUT", "SO", Meaning::Running),
    ("STOPPED", "ST", Meaning::Stopped),
    ("SUSPENDED", "S", Meaning::Stopped),
    ("TIMEOUT", "TO", Meaning::Stopped),
];

/// What is expected where a state is unknown.
pub(super) const EXPECTED: &str = "a state of Slurm, such as COMPLETED or `CANCELLED by 1000`";

/// What to do about a state that is unknown.
pub(super) const HINT: &str = "`map = { states = { WORD = \"completed\" } }` says what a word means: completed, failed, \
                               stopped, cancelled, running, pending, or drop";

/// What a state means to Slurm, whatever follows it (`CANCELLED by 1000`). A state that a narrow column cut off
/// (`OUT_OF_ME+`) is the one that begins so.
pub(super) fn meaning(text: &[u8]) -> Option<Meaning> {
    let is = |word: &[u8], known: &str| !known.is_empty() && word.eq_ignore_ascii_case(known.as_bytes());
    let word = first_word(text);
    if let Some(state) = STATES.iter().find(|(long, short, _)| is(word, long) || is(word, short)) {
        return Some(state.2);
    }
    let cut = word.strip_suffix(b"+").filter(|cut| !cut.is_empty())?;
    let mut begins = STATES.iter().filter(|(long, ..)| {
        long.len() >= cut.len() && long.as_bytes()[..cut.len()].eq_ignore_ascii_case(cut)
    });
    let first = begins.next()?;
    begins.all(|other| other.2 == first.2).then_some(first.2)
}

/// What a state means: as the user says, else as Slurm does.
pub(super) fn state(text: &[u8], intake: &mut Intake<'_>) -> Option<Meaning> {
    own(text, intake).or_else(|| meaning(text))
}

/// What the user says that a state means, whatever follows it.
pub(super) fn own(text: &[u8], intake: &mut Intake<'_>) -> Option<Meaning> {
    let words = &intake.options.map.states;
    if words.is_empty() {
        return None;
    }
    let first = first_word(text);
    let is = |part: &[u8], own: &StateWord| part.eq_ignore_ascii_case(own.word.as_bytes());
    let place = |part: &[u8]| words.iter().position(|own| is(part, own));
    let at = place(text).or_else(|| place(first))?;
    intake.words_met |= 1 << at.min(63);
    Some(words[at].meaning)
}

fn first_word(text: &[u8]) -> &[u8] {
    memchr2(b' ', b',', text).map_or(text, |end| &text[..end])
}

/// Says where time goes backwards between what a line tells of a job.
pub(super) fn note_backwards(submit: u32, start: Option<u32>, end: Option<u32>, intake: &mut Intake<'_>) {
    if start.is_some_and(|start| start < submit) {
        intake.notes.count("job", "that started before it was submitted: no wait", 1);
    }
    if start.zip(end).is_some_and(|(start, end)| end < start) {
        intake.notes.count("job", "that ended before it started: the difference tells no length", 1);
    }
}

/// What is known of a job's life beside its state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    /// When it was submitted, or could start.
    pub submit: u32,
    /// When it ended, or left.
    pub end: Option<u32>,
    /// Whether it ran for some time, had something allocated, or ended after it started.
    pub started: bool,
}

/// How a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It runs the time recorded.
    Ran {
        /// Whether it ends in failure.
        fails: bool,
    },
    /// It never started, and left this long after its submission.
    Left(u32),
}

/// How a job ended; `None` if it is to be dropped. What is done is noted.
pub(super) fn ending(state: Meaning, evidence: Evidence, intake: &mut Intake<'_>) -> Option<Ending> {
    let started = evidence.started || matches!(state, Meaning::Completed | Meaning::Running);
    let what = match (state, started) {
        (Meaning::Drop, _) => "of a state that is mapped to `drop`: dropped",
        (Meaning::Completed, _) => "",
        (Meaning::Running, _) => "still running when the trace was taken: run what they had run",
        (Meaning::Failed, true) => "whose work ends in failure",
        (Meaning::Stopped, true) => "stopped at a limit or preempted: run the time recorded",
        (Meaning::Cancelled, true) => "cancelled while running: run the time recorded",
        (Meaning::Pending, true) => "called pending although they had run: run the time recorded",
        (Meaning::Pending, false) => "still pending when the trace was taken: dropped",
        _ if evidence.end.is_some_and(|end| end > evidence.submit) => {
            "that never started: withdrawn at their end"
        }
        _ => "that never started, and left as they came or when is not told: dropped",
    };
    if !what.is_empty() {
        intake.notes.count("job", what, 1);
    }
    match (state, started) {
        (Meaning::Drop, _) | (Meaning::Pending, false) => None,
        (_, true) => Some(Ending::Ran { fails: state == Meaning::Failed }),
        (_, false) => {
            evidence.end?.checked_sub(evidence.submit).filter(|patience| *patience > 0).map(Ending::Left)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Mapping, Options};

    #[test]
    fn states_are_known_by_word_and_letters_in_either_case() {
        for (text, expected) in [
            ("CANCELLED by 1000", Some(Meaning::Cancelled)),
            ("CANCELLED+", Some(Meaning::Cancelled)),
            ("COMPLETED", Some(Meaning::Completed)),
            ("completed", Some(Meaning::Completed)),
            ("Node_Fail", Some(Meaning::Failed)),
            ("OUT_OF_ME+", Some(Meaning::Failed)),
            ("oom", Some(Meaning::Failed)),
            ("PD", Some(Meaning::Pending)),
            ("EXPEDITING", Some(Meaning::Pending)),
            ("SPECIAL_EXIT", Some(Meaning::Pending)),
            ("RESV_DEL_HOLD", Some(Meaning::Pending)),
            ("RUNNING,COMPLETING", Some(Meaning::Running)),
            ("REQUEUE_+", Some(Meaning::Pending)),
            ("RE+", None),
            ("+", None),
            ("", None),
            ("DONE", None),
        ] {
            assert_eq!(meaning(text.as_bytes()), expected, "{text}");
        }
        let words = ["done well", "never"]
            .map(|word| StateWord { word: word.to_owned(), meaning: Meaning::Completed });
        let map = Mapping { states: words.to_vec(), ..Mapping::default() };
        let options = Options { map: &map, ..Options::default() };
        let mut intake = Intake::new("t", &options);
        assert_eq!(state(b"Done Well", &mut intake), Some(Meaning::Completed), "the user's own word");
        assert_eq!(intake.words_met, 1, "the first was met, the second never");
    }

    #[test]
    fn evidence_comes_before_words() {
        let options = Options::default();
        let mut intake = Intake::new("t", &options);
        let mut ends =
            |state, started, end| ending(state, Evidence { submit: 100, end, started }, &mut intake);
        for state in [Meaning::Cancelled, Meaning::Failed, Meaning::Stopped] {
            let fails = state == Meaning::Failed;
            assert_eq!(
                ends(state, true, Some(500)),
                Some(Ending::Ran { fails }),
                "{state:?} after its start"
            );
            assert_eq!(ends(state, false, Some(500)), Some(Ending::Left(400)), "{state:?} before it");
            assert_eq!(ends(state, false, Some(100)), None, "{state:?} at once");
            assert_eq!(ends(state, false, None), None, "{state:?}, when is not told");
        }
        assert_eq!(ends(Meaning::Pending, false, None), None, "still waiting");
        assert_eq!(ends(Meaning::Pending, true, None), Some(Ending::Ran { fails: false }), "it had run");
        assert_eq!(ends(Meaning::Completed, false, None), Some(Ending::Ran { fails: false }), "in no time");
        assert_eq!(ends(Meaning::Drop, true, Some(500)), None, "as the user wishes");
    }
}
