//! A quantity recorded over time, such as a price an hour, from CSV or the JSON of a weather service.

mod meteo;
mod steps;

use super::input;
use super::intake::Intake;
use super::options::{Moment, Options};
use super::table::Table;
use crate::error::{Error, Place, Problem};
use crate::units::{Seconds, fixed_point};
use steps::{STEPS_MAX, Stamp, Steps, divisor};

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

/// Reads a series from the bytes of a CSV file, or of the JSON that open-meteo.com gives (`hourly`, one list a quantity);
/// gzip and zstd are unpacked. `name` is what problems call it.
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
    intake.by_row = text.by_row;
    let mut steps = Steps::default();
    if text.trim_ascii_start().starts_with(b"{") {
        meteo::read(&text, options, &mut steps, &mut intake);
    } else if let Some(mut table) = Table::open_any(&text, &[], &mut intake) {
        // Columns of prices are told apart by every letter.
        table.any_case = false;
        let columns = columns(&table, options, &mut intake);
        while columns.is_some() && table.next(&mut intake) {
            line(&table, columns.unwrap_or_default(), options, &mut steps, &mut intake);
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

/// The time and the value of a line.
fn line(
    table: &Table<'_>,
    (time, value): (usize, usize),
    options: &SeriesOptions<'_>,
    steps: &mut Steps,
    intake: &mut Intake<'_>,
) {
    let (number, line) = table.place();
    match Stamp::read(table.get(time)) {
        Some(stamp) => steps.follow(stamp, &|file| Place::part(file, number, line, table.get(time)), intake),
        None => table.wrong(time, "a date, or whole seconds since the start", intake),
    }
    match std::str::from_utf8(table.get(value)).ok().and_then(|text| options.number(text)) {
        Some(number) => steps.values.push(number),
        None => table.wrong(value, &expected(options), intake),
    }
}

impl SeriesOptions<'_> {
    /// A value, if it is in range.
    fn number(&self, text: &str) -> Option<i64> {
        number_in(text, self.decimals).filter(|number| (self.least..=self.most).contains(number))
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
            (&[0, 3600, 7200, 14_400, 18_000], "hint: a value is missing before it: put in what is right"),
            (&[0, 3600, 7200, 18_000, 21_600], "hint: 2 values are missing before it"),
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
    fn weather_comes_as_json() {
        let text = |hours: &str, degrees: &str| {
            format!(
                "{{\"utc_offset_seconds\": -18000, \"timezone\": \"x\", \"hourly\": {{\"time\": [{hours}], \"temp\": [{degrees}], \"wind\": [1, 2, 3]}}}}"
            )
        };
        let hours = "\"2023-01-01T00:00\", \"2023-01-01T01:00\", \"2023-01-01T02:00\"";
        let temp = SeriesOptions { column: Some("temp"), ..PLAIN };
        let found = read_series("w.json", text(hours, "16.9, -3, 1e1").as_bytes(), &temp).unwrap();
        assert_eq!(found.start, Moment::Unix(1_672_531_200 + 18_000), "five hours behind");
        assert_eq!((found.step, found.values), (Seconds(3600), vec![1690, -300, 1000]), "hours");
        for (text, options, expected) in [
            (text(hours, "1, null, 3"), &temp, "w.json: `hourly.temp[1]`: expected a decimal number"),
            (text(hours, "1, 2"), &temp, "`hourly.temp` has 2 values, `hourly.time` 3"),
            (text(hours, "1, 2, 3"), &PLAIN, "`column` says which: temp, wind"),
            (text(&hours.replace("01T01", "01T1"), "1, 2, 3"), &temp, "`hourly.time[1]`: expected a date"),
            (text(&hours.replace("T02", "T04"), "1, 2, 3"), &temp, "a step of 10800 s after steps of 3600 s"),
            ("{\"daily\": {}}".to_owned(), &temp, "no table `hourly`"),
            ("{\"hourly\": 7".to_owned(), &temp, "not JSON"),
        ] {
            let told = told(&text, options).replace("\n", " ");
            let told = told.replace("error: ", "").replace(" --> ", "@");
            assert!(told.contains(expected.trim_start_matches("w.json: ")), "{expected}: {told}");
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
