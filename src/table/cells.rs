use super::Kind;
use std::ops::RangeInclusive;

/// Cells on their way to a file, one after the other: those of a column, or those of lines of text.
///
/// A cell for which nothing was written is empty: nothing is known.
#[derive(Debug)]
pub struct Cells {
    sink: Sink,
    /// Ranges of the cell at hand; keeps its memory.
    found: Vec<RangeInclusive<u32>>,
    /// A day and how it is written.
    day: (i64, String),
    /// What could not be written.
    pub(super) wrong: Option<String>,
}

#[derive(Debug)]
enum Sink {
    Lines(Vec<u8>),
    Column(Values),
}

/// What is known of a column, in its order.
#[derive(Debug)]
pub(super) struct Values {
    /// By cell, and by element of a list: how much of it is there, see [`super::parquet`].
    pub(super) levels: Vec<i16>,
    /// Of a list: 0 where a cell begins, 1 where it goes on.
    pub(super) repeats: Vec<i16>,
    /// Whether a cell is a list.
    pub(super) is_list: bool,
    pub(super) data: Data,
    /// Whether the cell at hand has its value.
    has_value: bool,
    /// How many cells are over.
    pub(super) count: usize,
}

#[derive(Debug)]
pub(super) enum Data {
    Integers(Vec<i64>),
    Reals(Vec<f64>),
    /// All of them together, and where each ends.
    Texts(Vec<u8>, Vec<usize>),
    Indices(Vec<i32>),
}

impl Cells {
    /// No cell of a column yet.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let data = match kind {
            Kind::Integer | Kind::Instant => Data::Integers(Vec::new()),
            Kind::Real => Data::Reals(Vec::new()),
            Kind::Text | Kind::Name | Kind::Texts => Data::Texts(Vec::new(), Vec::new()),
            Kind::Indices => Data::Indices(Vec::new()),
        };
        let (levels, repeats) = (Vec::new(), Vec::new());
        let is_list = matches!(kind, Kind::Indices | Kind::Texts);
        Self::with(Sink::Column(Values { levels, repeats, is_list, data, has_value: false, count: 0 }))
    }
    /// No line of text yet.
    pub(super) fn line() -> Self {
        Self::with(Sink::Lines(Vec::new()))
    }
    const fn with(sink: Sink) -> Self {
        Self { sink, found: Vec::new(), day: (i64::MIN, String::new()), wrong: None }
    }
    /// The cell is over.
    pub fn end(&mut self) {
        if let Sink::Column(values) = &mut self.sink {
            if !values.has_value {
                values.levels.push(0);
                if values.is_list {
                    values.repeats.push(0);
                }
            }
            values.has_value = false;
            values.count += 1;
        }
    }
    /// The cell of a line is over.
    pub(super) fn comma(&mut self) {
        if let Sink::Lines(text) = &mut self.sink {
            text.push(b',');
        }
    }
    /// The line is over.
    pub(super) fn end_line(&mut self) {
        if let Sink::Lines(text) = &mut self.sink
            && let Some(comma) = text.last_mut()
        {
            *comma = b'\n';
        }
    }
    /// The lines, the last one over.
    pub(super) fn lines(mut self) -> Vec<u8> {
        self.end_line();
        match self.sink {
            Sink::Lines(text) => text,
            Sink::Column(_) => Vec::new(),
        }
    }
    /// The column.
    ///
    /// # Errors
    /// A number did not fit.
    pub(super) fn into_values(self) -> Result<Values, String> {
        match (self.sink, self.wrong) {
            (_, Some(wrong)) => Err(wrong),
            (Sink::Column(values), None) => Ok(values),
            (Sink::Lines(_), None) => Err("lines of text are no column".to_owned()),
        }
    }
    /// The cells of a column so far.
    ///
    /// # Errors
    /// A number did not fit.
    pub(super) fn values(&mut self) -> Result<&mut Values, String> {
        match (&mut self.sink, self.wrong.take()) {
            (_, Some(wrong)) => Err(wrong),
            (Sink::Column(values), None) => Ok(values),
            (Sink::Lines(_), None) => Err("lines of text are no column".to_owned()),
        }
    }
    /// A whole number.
    pub fn integer(&mut self, number: u64) {
        match (&mut self.sink, i64::try_from(number)) {
            (Sink::Lines(text), _) => text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
            (Sink::Column(values), Ok(number)) => values.integer(number),
            (Sink::Column(_), Err(_)) => self.whole(number.into()),
        }
    }
    /// A whole number that may be negative or large; beyond 64 bits it is an error when the column is written.
    pub fn whole(&mut self, number: i128) {
        match &mut self.sink {
            Sink::Lines(text) => match u64::try_from(number) {
                Ok(number) => text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
                Err(_) => text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
            },
            Sink::Column(values) => match i64::try_from(number) {
                Ok(number) => values.integer(number),
                Err(_) => self.wrong = Some(format!("{number} is beyond 64 bits")),
            },
        }
    }
    /// A decimal number: `number` times 10 to the power of `-places`, of which there are at most 9.
    #[expect(clippy::cast_precision_loss, reason = "the nearest number of that type up to 2^53")]
    pub fn decimal(&mut self, number: i64, places: u32) {
        let unit = 10_u64.pow(places.min(9));
        match &mut self.sink {
            Sink::Lines(text) => {
                if number < 0 {
                    text.push(b'-');
                }
                let (whole, rest) = (number.unsigned_abs() / unit, number.unsigned_abs() % unit);
                text.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
                if rest == 0 {
                    text.extend_from_slice(b".0");
                } else {
                    // The leading 1 keeps the zeros behind the point: 1046 for 0.046.
                    let mut digits = itoa::Buffer::new();
                    let digits = digits.format(unit + rest).trim_end_matches('0');
                    text.push(b'.');
                    text.extend_from_slice(&digits.as_bytes()[1..]);
                }
            }
            Sink::Column(values) => values.real(number as f64 / unit as f64),
        }
    }
    /// A real number; nothing if it is none.
    pub fn real(&mut self, number: f64) {
        use std::io::Write;
        if number.is_nan() {
            return;
        }
        match &mut self.sink {
            // Memory takes every byte. What is whole has a point too: a reader that guesses takes no column for one of
            // whole numbers that has others further down.
            Sink::Lines(text) if number.fract() == 0.0 => drop(write!(text, "{number:.1}")),
            Sink::Lines(text) => drop(write!(text, "{number}")),
            Sink::Column(values) => values.real(number),
        }
    }
    /// A name or word, in CSV between quotes if it could be taken for something else; nothing if it is empty.
    pub fn text(&mut self, name: &str) {
        match &mut self.sink {
            Sink::Lines(text) => {
                if !name.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
                    text.extend_from_slice(name.as_bytes());
                    return;
                }
                text.push(b'"');
                for byte in name.bytes() {
                    text.extend(std::iter::repeat_n(byte, if byte == b'"' { 2 } else { 1 }));
                }
                text.push(b'"');
            }
            Sink::Column(values) if !name.is_empty() => {
                values.begin();
                let Data::Texts(bytes, ends) = &mut values.data else { panic!("a column of text") };
                bytes.extend_from_slice(name.as_bytes());
                ends.push(bytes.len());
            }
            Sink::Column(_) => {}
        }
    }
    /// Names or words of a list; nothing if there are none. In CSV `;` stands between them.
    pub fn texts<'t>(&mut self, names: impl IntoIterator<Item = &'t str>) {
        match &mut self.sink {
            Sink::Lines(_) => self.text(&names.into_iter().collect::<Vec<_>>().join(";")),
            Sink::Column(values) => {
                let Data::Texts(bytes, ends) = &mut values.data else { panic!("a column of texts") };
                for name in names {
                    bytes.extend_from_slice(name.as_bytes());
                    ends.push(bytes.len());
                    values.levels.push(2);
                    values.repeats.push(i16::from(values.has_value));
                    values.has_value = true;
                }
            }
        }
    }
    /// An instant, in seconds since 1970 in UTC; nothing if no calendar has it.
    pub fn instant(&mut self, unix: i64) {
        let (day, second) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
        match &mut self.sink {
            Sink::Lines(text) => {
                if self.day.0 != day {
                    let Ok(date) = jiff::Timestamp::from_second(day * 86_400) else { return };
                    self.day = (day, date.strftime("%Y-%m-%d").to_string());
                }
                text.extend_from_slice(self.day.1.as_bytes());
                for (mark, number) in [(b'T', second / 3600), (b':', second / 60 % 60), (b':', second % 60)] {
                    text.push(mark);
                    text.push(b'0' + u8::try_from(number / 10).unwrap_or(0));
                    text.push(b'0' + u8::try_from(number % 10).unwrap_or(0));
                }
                text.push(b'Z');
            }
            Sink::Column(values) if jiff::Timestamp::from_second(unix).is_ok() => values.integer(unix * 1000),
            Sink::Column(_) => {}
        }
    }
    /// Ascending indices, which `find` adds as ranges to a list that is empty; nothing if it adds none. In CSV `mark`
    /// stands before each range: `n3-5;n9`.
    pub fn indices(&mut self, mark: &str, find: impl FnOnce(&mut Vec<RangeInclusive<u32>>)) {
        self.found.clear();
        find(&mut self.found);
        match &mut self.sink {
            Sink::Lines(text) => ranges(mark, &self.found, text),
            Sink::Column(values) => {
                let Data::Indices(all) = &mut values.data else { panic!("a column of indices") };
                for index in self.found.iter().cloned().flatten() {
                    all.push(i32::try_from(index).unwrap_or_else(|_| {
                        self.wrong = Some(format!("index {index} is beyond 31 bits"));
                        0
                    }));
                    values.levels.push(2);
                    values.repeats.push(i16::from(values.has_value));
                    values.has_value = true;
                }
            }
        }
    }
}

/// As `n3-5;n9`.
fn ranges(mark: &str, ranges: &[RangeInclusive<u32>], out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    for (index, range) in ranges.iter().enumerate() {
        if index > 0 {
            out.push(b';');
        }
        out.extend_from_slice(mark.as_bytes());
        out.extend_from_slice(digits.format(*range.start()).as_bytes());
        if range.start() != range.end() {
            out.push(b'-');
            out.extend_from_slice(digits.format(*range.end()).as_bytes());
        }
    }
}

impl Values {
    /// Forgets the cells, and keeps their memory.
    pub(super) fn clear(&mut self) {
        self.levels.clear();
        self.repeats.clear();
        match &mut self.data {
            Data::Integers(all) => all.clear(),
            Data::Reals(all) => all.clear(),
            Data::Texts(bytes, ends) => {
                bytes.clear();
                ends.clear();
            }
            Data::Indices(all) => all.clear(),
        }
    }
    /// A value of the cell at hand follows, the only one.
    fn begin(&mut self) {
        assert!(!self.has_value, "a cell has one value");
        self.has_value = true;
        self.levels.push(1);
    }
    fn integer(&mut self, number: i64) {
        self.begin();
        let Data::Integers(all) = &mut self.data else { panic!("a column of integers") };
        all.push(number);
    }
    fn real(&mut self, number: f64) {
        self.begin();
        let Data::Reals(all) = &mut self.data else { panic!("a column of real numbers") };
        all.push(number);
    }
}
