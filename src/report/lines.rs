//! Sentences in lines: as wide as a terminal is, broken at blanks, and nothing left out.

use ratatui::text::Span;

/// A blank at which no line is broken: between a number and what it is about.
const GLUE: char = '\u{a0}';

/// Columns that a text takes in a terminal; some signs take two, some none.
pub(crate) fn columns(text: &str) -> usize {
    Span::raw(text).width()
}

/// A name as it may stand in a terminal: nothing in it ends a line, moves the cursor or turns the direction of writing.
pub(crate) fn visible(text: &str) -> String {
    let acts = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if acts(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A name, or its beginning and an ellipsis if it takes more than `width` columns. Numbers are never cut.
pub(crate) fn cut(text: &str, width: usize) -> String {
    let mut text = visible(text);
    if columns(&text) <= width {
        return text;
    }
    while columns(&text) > width.saturating_sub(1) {
        text.pop();
    }
    text + "…"
}

/// A text that stays on one line where there is room for it.
pub(crate) fn glued(text: &str) -> String {
    text.replace(' ', &GLUE.to_string())
}

/// Words of `text` in lines of at most `width` columns, longer words excepted: of those, names of several parts go on
/// in the next line behind a `/` or `,`, and paths stay whole, to be copied.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split([' ', '\n', '\t']).filter(|word| !word.is_empty()) {
        // What is glued together but longer than a line is broken all the same.
        let words = if columns(word) > width { word.split(GLUE).collect() } else { vec![word] };
        for word in words {
            for (index, part) in parts(word, width).into_iter().enumerate() {
                let line = lines.last_mut().expect("there is always one");
                let blank = if index > 0 || line.is_empty() { "" } else { " " };
                if line.is_empty() || columns(line) + blank.len() + columns(part) <= width {
                    line.push_str(blank);
                    line.push_str(part);
                } else {
                    lines.push(part.to_owned());
                }
            }
        }
    }
    lines.into_iter().map(|line| line.replace(GLUE, " ")).collect()
}

/// The parts of a name that is longer than a line; a path, or what fits, has one.
fn parts(word: &str, width: usize) -> Vec<&str> {
    if columns(word) <= width || is_path(word) {
        return vec![word];
    }
    word.split_inclusive(['/', ',']).collect()
}

/// Whether a word looks like the path or address of something.
fn is_path(word: &str) -> bool {
    let word = word.trim_matches(['`', '(', ')', ':', ',', '.']);
    let last = word.rsplit('/').next().unwrap_or_default();
    let has_extension = |(_, end): (&str, &str)| end.starts_with(|c: char| c.is_ascii_alphabetic());
    word.contains("://")
        || word.starts_with(['/', '~', '.'])
        || word.contains('\\')
        || word.contains('/') && last.rsplit_once('.').is_some_and(has_extension)
}

/// Lines that begin with `first`, then with as many blanks.
pub(crate) fn hung(first: &str, text: &str, width: usize) -> Vec<String> {
    let indent = columns(first);
    let lines = wrapped(text, width.saturating_sub(indent).max(1));
    let begin = |index: usize| if index == 0 { first.to_owned() } else { " ".repeat(indent) };
    let lines = lines.into_iter().enumerate().map(|(index, line)| begin(index) + &line);
    lines.map(|line| line.trim_end().to_owned()).collect()
}

/// The text with every line that is too long broken at blanks, what follows as far from the edge as its beginning.
pub(crate) fn fitted(text: &str, width: u16) -> String {
    let width = usize::from(width);
    let mut fitted = String::with_capacity(text.len());
    for line in text.lines() {
        if columns(line) <= width && !line.contains(GLUE) {
            fitted.push_str(line);
            fitted.push('\n');
            continue;
        }
        let indent = line.len() - line.trim_start_matches(' ').len();
        for line in hung(&" ".repeat(indent), line, width) {
            fitted.push_str(&line);
            fitted.push('\n');
        }
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks_and_nothing_is_lost() {
        let text = "short\n  a sentence of several words, 12 of them\n";
        assert_eq!(fitted(text, 80), text, "there is room");
        assert_eq!(fitted(text, 20), "short\n  a sentence of\n  several words, 12\n  of them\n");
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for width in 1..60 {
            let narrow = fitted(text, width);
            assert_eq!(words(&narrow), words(text), "{width} columns");
            let longest = narrow.lines().map(columns).max();
            assert!(longest <= Some(usize::from(width).max(12)), "{width} columns: {narrow}");
        }
    }

    #[test]
    fn long_names_go_on_behind_their_parts_and_paths_stay_whole() {
        let policy = "fifo/easy/best-fit/power=cap/power_thresholds=80,89, seed 1";
        assert_eq!(
            wrapped(policy, 20),
            ["fifo/easy/best-fit/", "power=cap/", "power_thresholds=80,", "89, seed 1"]
        );
        for whole in
            ["workloads/traces/philly.csv.zst", "/data/who/runs/night", "https://arxiv.org/abs/2412.08602"]
        {
            assert_eq!(wrapped(&format!("of {whole}: 3 jobs"), 16), ["of", &format!("{whole}:"), "3 jobs"]);
        }
    }

    #[test]
    fn what_is_glued_stays_together() {
        let text = format!("{}, {}", glued("mean 1h19m"), glued("p50 1h04m"));
        assert_eq!(wrapped(&text, 15), ["mean 1h19m,", "p50 1h04m"]);
        assert_eq!(wrapped(&text, 5), ["mean", "1h19m,", "p50", "1h04m"], "but for longer ones");
        assert_eq!(hung("Wait  ", &text, 17), ["Wait  mean 1h19m,", "      p50 1h04m"]);
    }

    #[test]
    fn signs_that_take_two_columns_count_as_two() {
        assert_eq!(columns("名字"), 4);
        assert_eq!(cut("名字很长", 6), "名字…", "a name is cut");
        assert_eq!(wrapped("名字 很长", 5), ["名字", "很长"]);
    }
}
