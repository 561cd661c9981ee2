//! A quantity recorded over time, such as a price an hour, from CSV.

use super::field;
use super::input;
use super::intake::Intake;
use super::options::{Moment, Options};
use super::table::Table;
use crate::error::{Error, Place, Problem};
use crate::units::{Seconds, fixed_point};

/// One value a step, without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// When the first step begins: a date, or seconds since the scenario's start.
    pub start: Moment,
    /// How long each value holds.
    pub step: Seconds,
    /// At least one; as many decimals as asked for became whole numbers. A value that holds for several steps stands as
    /// often.
    pub values: Vec<i64>,
    /// How long values hold in the file, where that changes: one after the other; one, as a rule.
    pub steps: Vec<Seconds>,
}

/// Which columns of a CSV file a series is in, and how its numbers are written.
#[derive(Debug, Clone, Copy)]
pub struct SeriesOptions<'a> {
    /// The column of the values; none: the only one beside the time.
    pub column: Option<&'a str>,
    /// The column of the times; none: the first.
    pub time_column: Option<&'a str>,
    /// A value is multiplied by 10 to this power and rounded to a whole number.
    pub decimals: usize,
    /// The least value after that.
    pub least: i64,
    /// The largest.
    pub most: i64,
}

/// The shortest step: what meters and markets record is longer.
const STEP_MIN: i64 = 60;
/// How many steps of a new length make it a change; fewer are a gap.
const KEPT: usize = 3;
/// The most steps of a series.
const STEPS_MAX: u64 = 10_000_000;

/// Reads a series from the bytes of a CSV file; gzip and zstd are unpacked. `name` is what problems call it.
///
/// Times are dates, in UTC unless they name an offset, or whole seconds since the scenario's start, one step after
/// the other. The last value holds as long as those before it. The step may change within the file, as that of European
/// markets did from hours to quarters, if one is a multiple of the other and either lasts for a while; what is missing is
/// an error.
///
/// ```
/// use gigawatt::trace::{Moment, SeriesOptions, read_series};
/// let text = b"hour,price\n2023-01-01 00:00:00,10.42\n2023-01-01 01:00:00,-3\n";
/// let options = SeriesOptions { column: None, time_column: None, decimals: 6, least: i64::MIN, most: i64::MAX };
/// let series = read_series("prices.csv", text, &options)?;
/// assert_eq!((series.start, series.step.0), (Moment::Unix(1_672_531_200), 3600));
/// assert_eq!(series.values, [10_420_000, -3_000_000]);
/// # Ok::<(), gigawatt::error::Error>(())
/// ```
///
/// # Errors
/// Everything that is wrong with it: gaps and repetitions among the times, and values that are no numbers.
pub fn read_series(name: &str, bytes: &[u8], options: &SeriesOptions<'_>) -> Result<Recorded, Error> {
    let defaults = Options::default();
    let text = input::unpack(name, bytes, &defaults)?;
    let mut intake = Intake::new(name, &defaults);
    let mut steps = Steps::default();
    if let Some(mut table) = Table::open_any(&text, &[], &mut intake) {
        // Columns of prices are told apart by every letter.
        table.any_case = false;
        let columns = columns(&table, options, &mut intake);
        while columns.is_some() && table.next(&mut intake) {
            steps.read(&table, columns.unwrap_or_default(), options, &mut intake);
        }
    }
    let lengths = steps.lengths(&mut intake);
    intake.into_notes()?;
    let (Some(start), false) = (steps.first, lengths.is_empty()) else {
        let problem = Problem::new(format!("`{name}` has no two values over time")).at(Place::file(name));
        return Err(problem.hint("a header, then a time and a value a line").into());
    };
    let unit = lengths.iter().copied().reduce(divisor).unwrap_or(1);
    let Some(values) = steps.in_units(unit) else {
        let problem = Problem::new(format!("`{name}` is longer than {STEPS_MAX} steps of {unit} s"));
        return Err(problem.at(Place::file(name)).into());
    };
    let seconds = |step: i64| u32::try_from(step).map_or(Seconds(u32::MAX), Seconds);
    let steps = lengths.into_iter().map(seconds).collect();
    Ok(Recorded { start: start.moment(), step: seconds(unit), values, steps })
}

/// The greatest common divisor.
const fn divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// The columns of times and of values.
fn columns(
    table: &Table<'_>,
    options: &SeriesOptions<'_>,
    intake: &mut Intake<'_>,
) -> Option<(usize, usize)> {
    let known: Vec<String> = table.columns().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let (number, line) = table.place();
    let mut complain = |problem: Problem| {
        intake.problem(|file| problem.at(Place::line(file, number, line)));
        None
    };
    let mut find = |name: &str| {
        table.column(name).or_else(|| {
            let problem = Problem::new(format!("no column `{name}`"));
            complain(problem.hint_nearest(name, known.iter().map(String::as_str)))
        })
    };
    let time = match options.time_column {
        Some(name) => find(name)?,
        None => 0,
    };
    let value = match options.column {
        Some(name) => find(name)?,
        None if known.len() == 2 => 1 - time.min(1),
        None => {
            let others: Vec<&str> = known
                .iter()
                .map(String::as_str)
                .enumerate()
                .filter(|(i, _)| *i != time)
                .map(|o| o.1)
                .collect();
            let problem = Problem::new(format!("{} columns beside the time", others.len()));
            complain(problem.hint(if others.is_empty() {
                "fields are separated by commas".to_owned()
            } else {
                format!("`column` says which: {}", others.join(", "))
            }))?
        }
    };
    Some((time, value))
}

/// A point of time as a number of seconds, and from where it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    seconds: i64,
    dated: bool,
}

impl Stamp {
    fn read(text: &[u8]) -> Option<Self> {
        if let Some(seconds) = field::count(text) {
            return Some(Self { seconds: i64::from(seconds), dated: false });
        }
        let minute = || field::date(&[text, b":00"].concat());
        let date = field::date(text).or_else(minute).filter(|date| !date.fraction)?;
        Some(Self { seconds: date.seconds, dated: true })
    }
    fn moment(self) -> Moment {
        let seconds = u32::try_from(self.seconds).unwrap_or(u32::MAX);
        if self.dated { Moment::Unix(self.seconds) } else { Moment::Seconds(seconds) }
    }
}

/// A series as its lines come in.
#[derive(Debug, Default)]
struct Steps {
    first: Option<Stamp>,
    last: Option<Stamp>,
    runs: Vec<Run>,
    values: Vec<i64>,
}

/// Lines at the same distance from each other.
#[derive(Debug)]
struct Run {
    step: i64,
    count: usize,
    /// The time that ends its first step.
    place: Place,
}

impl Steps {
    fn read(
        &mut self,
        table: &Table<'_>,
        (time, value): (usize, usize),
        options: &SeriesOptions<'_>,
        intake: &mut Intake<'_>,
    ) {
        match Stamp::read(table.get(time)) {
            Some(stamp) => self.follow(stamp, table, time, intake),
            None => table.wrong(time, "a date, or whole seconds since the start", intake),
        }
        let number = std::str::from_utf8(table.get(value)).ok();
        let number = number.and_then(|text| number_in(text, options.decimals));
        match number.filter(|number| (options.least..=options.most).contains(number)) {
            Some(number) => self.values.push(number),
            None => table.wrong(value, &expected(options), intake),
        }
    }

    /// The next time: a step after the last one.
    fn follow(&mut self, stamp: Stamp, table: &Table<'_>, column: usize, intake: &mut Intake<'_>) {
        self.first.get_or_insert(stamp);
        let Some(last) = self.last.replace(stamp) else { return };
        let passed = stamp.seconds - last.seconds;
        let (number, line) = table.place();
        let place = |file: &str| Place::part(file, number, line, table.get(column));
        let told = if stamp.dated != last.dated {
            Some("dates and seconds are mixed".to_owned())
        } else if passed == 0 {
            Some("the same time again".to_owned())
        } else if passed < 0 {
            Some("an earlier time than the line before".to_owned())
        } else {
            match self.runs.last_mut() {
                Some(run) if run.step == passed => run.count += 1,
                _ => self.runs.push(Run { step: passed, count: 1, place: place(intake.file) }),
            }
            (passed < STEP_MIN).then(|| format!("a step of {passed} s: at least {STEP_MIN} s"))
        };
        if let Some(told) = told {
            intake.problem(|file| Problem::new(told).at(place(file)));
        }
    }

    /// The lengths of steps, in the order in which they come; what is not one length after another is told.
    fn lengths(&self, intake: &mut Intake<'_>) -> Vec<i64> {
        let mut lengths: Vec<i64> = Vec::new();
        let mut kept = 0;
        for run in &self.runs {
            let Some(last) = lengths.last().copied() else {
                lengths.push(run.step);
                kept = run.count;
                continue;
            };
            if run.step == last {
                kept += run.count;
            } else if (run.step % last == 0 || last % run.step == 0) && kept.min(run.count) >= KEPT {
                lengths.push(run.step);
                kept = run.count;
            } else {
                let told = format!("a step of {} s after steps of {last} s", run.step);
                intake.problem(|_| Problem::new(told).at(run.place.clone()));
            }
        }
        lengths
    }

    /// The values, each as often as `unit` goes into its step; none if that is too often.
    fn in_units(self, unit: i64) -> Option<Vec<i64>> {
        let times = |run: &Run| usize::try_from(run.step / unit).unwrap_or(usize::MAX);
        let total = |run: &Run| (times(run) as u64).saturating_mul(run.count as u64);
        if self.runs.iter().map(total).fold(0, u64::saturating_add) > STEPS_MAX {
            return None;
        }
        if self.runs.iter().all(|run| run.step == unit) {
            return Some(self.values);
        }
        let holds = self.runs.iter().flat_map(|run| std::iter::repeat_n(times(run), run.count));
        let last = self.runs.last().map(times);
        let each = self.values.iter().zip(holds.chain(last));
        Some(each.flat_map(|(value, times)| std::iter::repeat_n(*value, times)).collect())
    }
}

fn expected(options: &SeriesOptions<'_>) -> String {
    let shown =
        |bound: i64| bound / 10_i64.saturating_pow(u32::try_from(options.decimals).unwrap_or(u32::MAX));
    format!("a decimal number from {} to {}", shown(options.least), shown(options.most))
}

/// As [`fixed_point`], also of what programs write for very small numbers: `-5.68e-14`.
fn number_in(text: &str, decimals: usize) -> Option<i64> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return fixed_point(text, decimals) };
    let exponent = exponent.parse::<i16>().ok().filter(|exponent| exponent.unsigned_abs() <= 400)?;
    fixed_point(mantissa, 0)?;
    let unsigned = mantissa.trim_start_matches('-');
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let sign = &mantissa[..mantissa.len() - unsigned.len()];
    let zeros = "0".repeat(usize::from(exponent.unsigned_abs()));
    // The point moves over as many zeros.
    let digits = format!("{zeros}{whole}{fraction}{zeros}");
    let point = zeros.len() + whole.len();
    let moved = usize::from(exponent.unsigned_abs());
    let point = if exponent < 0 { point - moved } else { point + moved };
    fixed_point(&format!("{sign}{}.{}", digits.get(..point)?, digits.get(point..)?), decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: SeriesOptions<'_> =
        SeriesOptions { column: None, time_column: None, decimals: 2, least: -100_000, most: 100_000 };

    fn told(text: &str, options: &SeriesOptions<'_>) -> String {
        read_series("p.csv", text.as_bytes(), options)
            .map_or_else(|error| error.to_string(), |read| format!("{read:?}"))
    }

    #[test]
    fn a_series_is_read_whatever_it_is_packed_in() {
        let text = "time,x\n0,1.005\n900,-2\n1800,3.25\n";
        let expected = Recorded {
            start: Moment::Seconds(0),
            step: Seconds(900),
            values: vec![101, -200, 325],
            steps: vec![Seconds(900)],
        };
        let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
        for bytes in [text.as_bytes(), &packed, text.replace('\n', "\r\n").as_bytes()] {
            assert_eq!(read_series("p.csv", bytes, &PLAIN).unwrap(), expected, "plain, zstd, CRLF");
        }
        let planted = text.replace("3.25", "3.26");
        assert_ne!(read_series("p.csv", planted.as_bytes(), &PLAIN).unwrap(), expected, "another number");
    }

    #[test]
    fn the_step_may_change_within_a_file() {
        let text = |times: &[u32]| {
            let lines = times.iter().enumerate().map(|(value, time)| format!("{time},{value}\n"));
            format!("time,x\n{}", lines.collect::<String>())
        };
        // Three hours, then quarters.
        let changes = [0, 3600, 7200, 10_800, 11_700, 12_600, 13_500];
        let found = read_series("p.csv", text(&changes).as_bytes(), &PLAIN).unwrap();
        let values = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4, 5, 6].map(|value| value * 100);
        assert_eq!((found.step, &found.values[..]), (Seconds(900), &values[..]), "each as long as it held");
        assert_eq!(found.steps, [3600, 900].map(Seconds), "which is said");
        // And back to half hours, whose last value holds for half an hour.
        let back = [&changes[..], &[15_300, 17_100, 18_900]].concat();
        let found = read_series("p.csv", text(&back).as_bytes(), &PLAIN).unwrap();
        assert_eq!(found.values[15..], [600, 600, 700, 700, 800, 800, 900, 900], "two quarters each");
        for (times, expected) in [
            (&[0, 3600, 7200, 10_800, 18_000, 21_600][..], "p.csv:6:1"),
            (&[0, 3600, 7200, 10_800, 11_700, 12_600], "a step of 900 s after steps of 3600 s"),
            (&[0, 3600, 4500, 5400, 6300, 7200], "a step of 900 s after steps of 3600 s"),
            (
                &[0, 3600, 7200, 10_800, 13_300, 15_800, 18_300, 20_800],
                "a step of 2500 s after steps of 3600 s",
            ),
        ] {
            let found = told(&text(times), &PLAIN);
            assert!(found.contains(expected), "{expected}: {found}");
        }
    }

    #[test]
    fn numbers_with_exponents_are_read() {
        for (text, number) in [
            ("-5.684341886080802e-14", Some(0)),
            ("1.005e0", Some(101)),
            ("-2.5E+2", Some(-25_000)),
            ("125e-1", Some(1250)),
            ("1e401", None),
            ("1e", None),
            ("e5", None),
            ("--1e1", None),
            ("é1e1", None),
        ] {
            assert_eq!(number_in(text, 2), number, "{text}");
        }
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let text = "Datetime (Local),Datetime (UTC),Price (USD/MWh)\na,2023-01-01 00:00:00+00:00,1\nb,2023-01-01 01:00:00+00:00,2\n";
        let options = SeriesOptions { time_column: Some("Datetime (UTC)"), ..PLAIN };
        let named = SeriesOptions { column: Some("Price (USD/MWh)"), ..options };
        assert_eq!(read_series("p.csv", text.as_bytes(), &named).unwrap().values, [100, 200], "by name");
        assert!(
            told(text, &options).contains("`column` says which: Datetime (Local), Price (USD/MWh)"),
            "{}",
            told(text, &options)
        );
        let wrong = SeriesOptions { column: Some("Price (USD/MWH)"), ..options };
        assert!(told(text, &wrong).contains("did you mean `Price (USD/MWh)`?"), "{}", told(text, &wrong));
        let minutes = "t,x\n2023-01-01T00:00,1\n2023-01-01T00:30,2\n";
        assert_eq!(
            read_series("p.csv", minutes.as_bytes(), &PLAIN).unwrap().step,
            Seconds(1800),
            "no seconds"
        );
    }

    #[test]
    fn every_line_that_is_wrong_is_told() {
        let text = "time,x\n0,1\n3600,two\n7200,3\n7200,4\n14400,5\n3600,6\n2023-01-01 00:00:00,7\nnoon,8\n7,9999\n,1\n";
        let all = told(text, &PLAIN);
        for expected in [
            "x `two`",
            "p.csv:5:1",
            "the same time again",
            "a step of 7200 s after steps of 3600 s",
            "an earlier time than the line before",
            "dates and seconds are mixed",
            "time `noon`",
            "x `9999`",
            "no time",
        ] {
            assert!(all.contains(expected), "{expected}:\n{all}");
        }
        for (text, expected) in [
            ("time;price\n0;1\n", "fields are separated by commas"),
            ("", "no two values"),
            ("time,x\n", "no two values"),
            ("time,x\n0,1\n", "no two values"),
            ("time,x\n0,1\n5,1\n", "a step of 5 s: at least 60 s"),
        ] {
            assert!(told(text, &PLAIN).contains(expected), "{text:?}: {expected}");
        }
    }
}
