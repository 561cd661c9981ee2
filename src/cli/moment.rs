use crate::error::{Place, Problem, Result};
use crate::trace::Moment;
use crate::units::{Seconds, Time};

/// The instant that `--at TEXT` means, where second 0 is at `epoch`, if that is known.
pub(super) fn instant(text: &str, epoch: Option<i64>) -> Result<Time> {
    let wrong = |said: String| {
        let hint = "seconds, a time such as `36h` or `1h30m`, or a date";
        Problem::new(said).at(Place::file(format!("--at {text}"))).hint(hint)
    };
    if let Ok(since) = text.parse::<Seconds>() {
        return Ok(Time::ZERO + since);
    }
    let unix = match text.parse() {
        Ok(Moment::Unix(unix)) => unix,
        Ok(Moment::Seconds(seconds)) => return Ok(Time(seconds)),
        Err(error) => return Err(wrong(format!("`{text}`: {error}")).into()),
    };
    let Some(epoch) = epoch else {
        return Err(wrong("nothing here has a date: seconds or a time since the start".to_owned()).into());
    };
    if unix < epoch {
        let start = jiff::Timestamp::from_second(epoch).map(|start| start.to_string());
        return Err(wrong(format!("`{text}` comes before the start, {}", start.unwrap_or_default())).into());
    }
    let since = u32::try_from(unix.saturating_sub(epoch)).ok();
    since.map(Time).ok_or_else(|| wrong(format!("`{text}` is not within 136 years of the start")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_a_time_since_the_start_or_a_date_where_there_are_dates() {
        for (text, epoch, expected) in [
            ("90", None, Some(90)),
            ("1h30m", None, Some(5400)),
            ("2d", Some(1_000_000), Some(172_800)),
            ("1970-01-02", Some(0), Some(86_400)),
            ("1970-01-02 01:00:00", Some(86_400), Some(3600)),
            ("1970-01-02", None, None),
            ("1970-01-01", Some(86_400), None),
            ("tomorrow", Some(0), None),
        ] {
            assert_eq!(instant(text, epoch).ok(), expected.map(Time), "{text} from {epoch:?}");
        }
    }
}
