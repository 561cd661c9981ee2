use std::fmt;

/// What a reader dropped, changed or assumed: nothing of it is silent.
///
/// ```
/// use gigawatt::trace::Notes;
/// let mut notes = Notes::default();
/// notes.count("job", "with more work than requested", 7092);
/// notes.count("job", "without an estimate: requested_time = work_time", 1);
/// notes.say("naive timestamps read as UTC");
/// assert_eq!(
///     notes.lines(),
///     [
///         "7,092 jobs with more work than requested",
///         "1 job without an estimate: requested_time = work_time",
///         "naive timestamps read as UTC",
///     ]
/// );
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    entries: Vec<Note>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Note {
    noun: &'static str,
    what: String,
    count: Option<u64>,
}

impl Notes {
    /// Adds `count` to what is known of `noun` (singular) `what`; nothing is noted of nothing.
    pub fn count(&mut self, noun: &'static str, what: &str, count: u64) {
        if count == 0 {
            return;
        }
        let known = self.entries.iter_mut().find(|note| note.noun == noun && note.what == what);
        match known {
            Some(Note { count: Some(total), .. }) => *total += count,
            _ => self.entries.push(Note { noun, what: what.to_owned(), count: Some(count) }),
        }
    }
    /// Says something once that has no number.
    pub fn say(&mut self, what: impl Into<String>) {
        let note = Note { noun: "", what: what.into(), count: None };
        if !self.entries.contains(&note) {
            self.entries.push(note);
        }
    }
    /// Takes back what is known of `noun` `what`.
    pub(super) fn forget(&mut self, noun: &str, what: &str) {
        self.entries.retain(|note| note.noun != noun || note.what != what);
    }
    /// How many of `noun` are known to be `what`.
    #[must_use]
    pub fn counted(&self, noun: &str, what: &str) -> u64 {
        let known = self.entries.iter().find(|note| note.noun == noun && note.what == what);
        known.and_then(|note| note.count).unwrap_or(0)
    }
    /// Whether the input was taken as it is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// One line a note, in the order first met.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.entries.iter().map(Note::to_string).collect()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            Some(1) => write!(f, "1 {} {}", self.noun, self.what),
            Some(count) => match self.noun.strip_suffix('y') {
                Some(stem) => write!(f, "{} {stem}ies {}", grouped(count), self.what),
                None => write!(f, "{} {}s {}", grouped(count), self.noun, self.what),
            },
            None => f.write_str(&self.what),
        }
    }
}

/// One line a note.
impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_threes() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text, "{number}");
        }
    }

    #[test]
    fn equal_notes_add_up_and_nothing_is_no_note() {
        let mut notes = Notes::default();
        notes.count("job", "dropped", 0);
        assert!(notes.is_empty(), "nothing happened");
        notes.count("job", "dropped", 2);
        notes.count("job", "dropped", 3);
        notes.say("a");
        notes.say("a");
        assert_eq!(notes.lines(), ["5 jobs dropped", "a"], "once each");
        assert_eq!(notes.counted("job", "dropped"), 5, "asked by name");
    }
}
