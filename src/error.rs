//! What can go wrong in the user's world, and how it is shown.
//!
//! A reader collects every [`Problem`] it meets, in file order, and goes on; nothing is run if there is one.
//! Each says where it is, what was expected and what was found, and has at most one hint.
//!
//! ```
//! use gigawatt::error::{Place, Problem, Problems};
//! let mut problems = Problems::default();
//! problems.push(
//!     Problem::new("unknown policy `strf`")
//!         .at(Place::in_line("night.toml", 9, "name = \"strf\"", 7..13))
//!         .hint("did you mean `srtf`?"),
//! );
//! assert!(problems.to_string().contains("night.toml:9:8"));
//! assert!(problems.into_result(()).is_err());
//! ```

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::fmt;
use std::ops::Range;
use std::path::Path;

/// Where a problem is: a file and, where known, a line and the piece of it that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    file: String,
    line: Option<PlaceLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PlaceLine {
    number: usize,
    text: String,
    span: Range<usize>,
}

/// What a message repeats of an input line, bytes, where that reaches what is wrong.
const LINE_SHOWN: usize = 160;
/// What it repeats at least from where that begins.
const PIECE_SHOWN: usize = 80;
/// Longest piece of an input line that is kept: nobody reads on to the end of such a line.
const LINE_KEPT: usize = 4096;

impl Place {
    /// A whole file, or anything with a name such as `--set`.
    #[must_use]
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: None }
    }

    /// The bytes `span` of line `number` (from 1), whose text is `text`.
    #[must_use]
    pub fn in_line(file: impl Into<String>, number: usize, text: &str, span: Range<usize>) -> Self {
        let text = text.trim_end_matches(['\r', '\n']);
        let reach = LINE_SHOWN.max(span.start.saturating_add(PIECE_SHOWN)).min(LINE_KEPT);
        let end = text.floor_char_boundary(reach);
        let shown = &text[..end];
        let start = shown.floor_char_boundary(span.start.min(shown.len()));
        let stop = shown.ceil_char_boundary(span.end.clamp(start, shown.len()));
        Self {
            file: file.into(),
            line: Some(PlaceLine { number, text: shown.to_owned(), span: start..stop }),
        }
    }

    /// A whole line, given as bytes that may not be UTF-8.
    #[must_use]
    pub fn line(file: impl Into<String>, number: usize, bytes: &[u8]) -> Self {
        Self::part(file, number, bytes, bytes.trim_ascii_end())
    }

    /// The piece `part` of a line given as bytes; the whole line if it is no slice of it.
    #[must_use]
    pub fn part(file: impl Into<String>, number: usize, line: &[u8], part: &[u8]) -> Self {
        let shown = &line[..line.len().min(LINE_KEPT)];
        let start = part.as_ptr().addr().wrapping_sub(line.as_ptr().addr());
        let span = if start <= shown.len() { start..start + part.len() } else { 0..shown.len() };
        Self::in_line(file, number, &String::from_utf8_lossy(shown), span)
    }

    /// The byte range `span` of the whole text of a file.
    #[must_use]
    pub fn span(file: impl Into<String>, source: &str, span: Range<usize>) -> Self {
        let start = source.floor_char_boundary(span.start.min(source.len()));
        let line_start = source[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |i| start + i);
        let number = source[..line_start].matches('\n').count() + 1;
        let in_line = start - line_start..span.end.clamp(start, line_end) - line_start;
        Self::in_line(file, number, &source[line_start..line_end], in_line)
    }
}

/// One thing that is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    message: String,
    label: String,
    place: Option<Place>,
    hint: Option<String>,
}

impl Problem {
    /// A lower-case sentence without a full stop; what the user typed goes between backticks.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), label: String::new(), place: None, hint: None }
    }
    /// Where it is.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
    /// What was expected there, written beside the caret.
    #[must_use]
    pub fn expected(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }
    /// What to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// A hint naming the nearest of the known names, or all of them when none is near.
    #[must_use]
    pub fn hint_nearest<'a>(self, given: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let hint = nearest_hint(given, known);
        self.hint(hint)
    }
    /// The bare message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
    /// What its hint says, if it has one.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The file where it is, and the line, from 1.
    #[must_use]
    pub fn place(&self) -> Option<(&str, Option<usize>)> {
        let place = self.place.as_ref()?;
        Some((&place.file, place.line.as_ref().map(|line| line.number)))
    }
    /// Where and what, in a line.
    #[must_use]
    pub fn brief(&self) -> String {
        match &self.place {
            Some(Place { file, line: Some(line) }) => format!("{file}:{}: {}", line.number, self.message),
            Some(Place { file, line: None }) => format!("{file}: {}", self.message),
            None => self.message.clone(),
        }
    }
    fn render(&self, renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(self.message.as_str());
        let hint = self.hint.as_deref().map(|h| Level::HELP.with_name("hint").message(h));
        let group = match &self.place {
            Some(Place { file, line: Some(line) }) => {
                let mut annotation = AnnotationKind::Primary.span(line.span.clone());
                if !self.label.is_empty() {
                    annotation = annotation.label(self.label.as_str());
                }
                let snippet = Snippet::source(line.text.as_str())
                    .line_start(line.number)
                    .path(file.as_str())
                    .annotation(annotation);
                title.element(snippet).elements(hint)
            }
            Some(Place { file, line: None }) => {
                let origin = annotate_snippets::Origin::path(file.as_str());
                title.element(origin).elements(hint)
            }
            None => annotate_snippets::Group::with_title(title).elements(hint),
        };
        renderer.render(&[group])
    }
}

/// A hint naming the known name nearest to `given`, or those that there are when none is near: of very many, the first.
///
/// ```
/// use gigawatt::error::nearest_hint;
/// assert_eq!(nearest_hint("strf", ["fifo", "srtf"]), "did you mean `srtf`?");
/// assert_eq!(nearest_hint("H100", ["a100", "h100"]), "did you mean `h100`?");
/// assert_eq!(nearest_hint("qqqqq", ["fifo", "srtf"]), "known: fifo, srtf");
/// assert!(nearest_hint("qqqqq", ["job"; 100]).ends_with("job, and 40 more"));
/// ```
#[must_use]
pub fn nearest_hint<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(given, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => match known.split_at_checked(KNOWN) {
            Some((first, rest @ [_, ..])) => format!("known: {}, and {} more", first.join(", "), rest.len()),
            _ => format!("known: {}", known.join(", ")),
        },
    }
}

/// Names that a hint lists: every table of ours is shorter, the jobs of a trace are not.
const KNOWN: usize = 60;

/// The known name that differs from `given` by a slip of the pen, if there is one.
#[must_use]
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Another case is no slip at all.
    let given = given.to_lowercase();
    let slips = |name: &str| strsim::damerau_levenshtein(&given, &name.to_lowercase());
    let near = known.into_iter().map(|name| (slips(name), name));
    near.filter(|(distance, name)| *distance <= 1 + name.len() / 4).min().map(|(_, name)| name)
}

/// Every problem of an input, in the order met; the first 50 are kept, all are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    kept: Vec<Problem>,
    total: usize,
}

impl Problems {
    /// How many problems are shown in full.
    pub const SHOWN: usize = 50;

    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        self.total += 1;
        if self.kept.len() < Self::SHOWN {
            self.kept.push(problem);
        }
    }
    /// Adds all problems of another input, after these.
    pub fn append(&mut self, other: Self) {
        self.total += other.total;
        self.kept.extend(other.kept);
        self.kept.truncate(Self::SHOWN);
    }
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }
    /// How many there are, the ones not kept included.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.total
    }
    /// The problems that were kept.
    #[must_use]
    pub fn kept(&self) -> &[Problem] {
        &self.kept
    }
    /// `value` if nothing is wrong.
    ///
    /// # Errors
    /// [`Error::Input`] with every problem, if there is one.
    pub fn into_result<T>(self, value: T) -> Result<T, Error> {
        if self.is_empty() { Ok(value) } else { Err(Error::Input(self)) }
    }
    /// The problems as a person reads them, coloured if asked.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for problem in &self.kept {
            text.push_str(&problem.render(&renderer));
            text.push_str("\n\n");
        }
        let more = self.total - self.kept.len();
        let more = if more > 0 { format!(" ({more} more not shown)") } else { String::new() };
        let noun = if self.total == 1 { "problem" } else { "problems" };
        text.push_str(&format!("{} {noun}{more}; nothing was run", self.total));
        text
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        let mut problems = Self::default();
        problems.push(problem);
        problems
    }
}

/// Everything that can fail in this library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input is wrong; exit code 2.
    #[error("{0}")]
    Input(Problems),
    /// A file cannot be read or written; exit code 2.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried: `read`, `create`, `write`.
        action: &'static str,
        /// The path as the user gave it.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The device asked for cannot be used; exit code 3.
    #[error("{message}\n  hint: {hint}")]
    Device {
        /// What is wrong with it.
        message: String,
        /// What to do about it.
        hint: String,
    },
}

impl Error {
    /// A failure to `action` the file at `path`.
    pub fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { action, path: path.display().to_string(), source }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Input(problem.into())
    }
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::Input(problems)
    }
}

/// The result of anything that reads what a user wrote.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_its_caret_and_its_hint() {
        let source = "version = 1\nname = \"strf\"\n";
        let problem = Problem::new("unknown policy `strf`")
            .at(Place::span("night.toml", source, 19..25))
            .hint_nearest("strf", ["srtf", "fifo"]);
        let text = Problems::from(problem).to_string();
        for piece in [
            "error: unknown policy `strf`",
            "night.toml:2:8",
            "2 | name = \"strf\"",
            "^^^^^^",
            "hint: did you mean `srtf`?",
            "1 problem; nothing was run",
        ] {
            assert!(text.contains(piece), "{piece:?} is missing in:\n{text}");
        }
    }

    #[test]
    fn the_first_fifty_problems_are_shown_and_the_rest_counted() {
        let mut problems = Problems::default();
        for i in 0..61 {
            problems.push(Problem::new(format!("number {i}")));
        }
        let text = problems.to_string();
        assert!(text.contains("number 49") && !text.contains("number 50"), "fifty are shown");
        assert!(text.ends_with("61 problems (11 more not shown); nothing was run"), "{text}");
    }

    #[test]
    fn what_is_wrong_far_to_the_right_is_shown_there() {
        let line = format!("{}wrong{}", "x,".repeat(500), ",x".repeat(500));
        let place = Place::part("f", 3, line.as_bytes(), &line.as_bytes()[1000..1005]);
        let text = Problems::from(Problem::new("x").at(place)).to_string();
        assert!(text.contains("f:3:1001") && text.contains("x,wrong,x") && text.contains(" ^^^^^"), "{text}");
        assert!(text.lines().all(|line| line.len() < 200), "and not all of the line: {text}");
        let begins = Place::line("f", 3, line.as_bytes());
        let text = Problems::from(Problem::new("x").at(begins)).to_string();
        assert!(text.lines().all(|line| line.len() < 200), "nor where all of it is wrong: {text}");
    }

    #[test]
    fn a_place_survives_any_bytes_and_any_span() {
        let long = vec![0xff_u8; 10_000];
        assert!(
            Problems::from(Problem::new("x").at(Place::line("f", 7, &long))).to_string().contains("f:7"),
            "shown"
        );
        for (start, end) in [(0, 0), (5, 2), (100, 200), (3, usize::MAX)] {
            let span = start..end;
            let _ = Problems::from(Problem::new("x").at(Place::span("f", "é\nü", span))).to_string();
        }
    }
}
