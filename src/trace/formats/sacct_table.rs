//! How a dump of `sacct` is laid out: any delimiter, columns of a width, with or without a header.

use super::ending;
use super::sacct_fields::clock;
use crate::trace::Head;
use crate::trace::field;
use crate::trace::intake::Intake;
use crate::trace::layout::{Layout, delimiter, first_line};
use crate::trace::rejoin::FreeText;
use crate::trace::table::Table;

/// Columns whose text users write.
const FREE_TEXT: FreeText = FreeText {
    names: &[
        "JobName",
        "Comment",
        "AdminComment",
        "SystemComment",
        "SubmitLine",
        "WorkDir",
        "Reason",
        "Extra",
        "WCKey",
    ],
    lists: &["ReqTRES", "AllocTRES"],
    fits,
};

/// Whether the text begins a dump.
pub(super) fn detect(head: &Head<'_>) -> bool {
    let is = |id: &str| head.is_table(&[id, "State"]) || head.is_table(&[id, "Submit"]);
    if !head.map.columns.is_empty() {
        return is("JobIDRaw") || is("JobID");
    }
    is("JobIDRaw") || is("JobID") || padded(head.bytes).is_some() || guessed(head.bytes).is_some()
}

/// Opens a dump, whatever it looks like.
pub(super) fn open<'a>(text: &'a [u8], intake: &mut Intake<'_>) -> Option<Table<'a>> {
    let line = first_line(text);
    let named = ["JobIDRaw", "JobID"].into_iter().find_map(|id| delimiter(line, &[id, "State"]));
    let guess = if named.is_none() && intake.options.map.columns.is_empty() { guessed(text) } else { None };
    let mut table = if let Some((delimiter, columns)) = guess {
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        intake
            .notes
            .say(format!("no header: columns are taken for {}; `--columns` names them", names.join(",")));
        let columns = columns.into_iter().map(String::into_bytes).collect();
        Table::with_columns(text, Layout::Delimited(delimiter), columns)
    } else {
        let layout = padded(text).unwrap_or(Layout::Delimited(named.unwrap_or(b'|')));
        Table::open(text, layout, intake)?
    };
    table.free_text = Some(FREE_TEXT);
    Some(table)
}

/// The places of padded columns, with the names of a dump above them.
fn padded(text: &[u8]) -> Option<Layout> {
    let layout = Layout::padded(text)?;
    let words = || first_line(text).split(u8::is_ascii_whitespace);
    let has = |name: &str| words().any(|word| word.eq_ignore_ascii_case(name.as_bytes()));
    ((has("JobID") || has("JobIDRaw")) && has("State")).then_some(layout)
}

/// What the columns of a dump without a header must be, where its first line leaves no doubt: an id, a word for a state,
/// one, three or four dates.
fn guessed(text: &[u8]) -> Option<(u8, Vec<String>)> {
    let line = first_line(text);
    [b'|', b'\t', b';', b','].into_iter().find_map(|delimiter| {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == delimiter).map(<[u8]>::trim_ascii).collect();
        Some((delimiter, columns(&fields)?))
    })
}

fn columns(fields: &[&[u8]]) -> Option<Vec<String>> {
    let mut names = vec![String::new(); fields.len()];
    let is_id = |field: &&&[u8]| field.first().is_some_and(u8::is_ascii_digit);
    fields.first().filter(is_id)?;
    names[0] = "JobID".to_owned();
    let states: Vec<usize> = (0..fields.len()).filter(|at| is_state(fields[*at])).collect();
    let [state] = states[..] else { return None };
    names[state] = "State".to_owned();
    let is_date = |field: &[u8]| field::date(field).is_some() || field == b"Unknown" || field == b"None";
    let dates: Vec<usize> = (0..fields.len()).filter(|at| is_date(fields[*at])).collect();
    let called: &[&str] = match dates.len() {
        1 => &["Submit"],
        3 => &["Submit", "Start", "End"],
        4 => &["Submit", "Eligible", "Start", "End"],
        _ => return None,
    };
    field::date(fields[dates[0]])?;
    for (at, name) in dates.iter().zip(called) {
        names[*at] = (*name).to_owned();
    }
    let begin =
        |name: &str| names.iter().position(|known| known == name).and_then(|at| field::date(fields[at]));
    let length = begin("End").zip(begin("Start")).and_then(|(end, start)| {
        u32::try_from(end.seconds - start.seconds).ok().filter(|length| *length > 0)
    });
    let mut lists = ["ReqTRES", "AllocTRES"].into_iter();
    for at in 1..fields.len() {
        if !names[at].is_empty() {
            continue;
        }
        let field = fields[at];
        let taken = |name: &str| names.iter().any(|known| known == name);
        if field.starts_with(b"billing=") || field.starts_with(b"cpu=") || field.starts_with(b"gres/") {
            names[at] = lists.next().map(str::to_owned).unwrap_or_default();
        } else if length.is_some() && field::count(field) == length && !taken("ElapsedRaw") {
            names[at] = "ElapsedRaw".to_owned();
        } else if length.is_some() && clock(field) == length && !taken("Elapsed") {
            names[at] = "Elapsed".to_owned();
        }
    }
    for name in names.iter_mut().filter(|name| name.is_empty()) {
        "?".clone_into(name);
    }
    Some(names)
}

/// Whether a text is a word for a state, longer than the letters that may mean something else.
fn is_state(text: &[u8]) -> bool {
    text.len() >= 6 && ending::meaning(text).is_some()
}

/// Whether a value may stand in a column that is not of free text.
fn fits(column: &str, value: &[u8]) -> bool {
    let missing = field::missing(value);
    match column.to_ascii_lowercase().as_str() {
        "jobid" | "jobidraw" => value.first().is_some_and(u8::is_ascii_digit),
        "submit" => field::date(value).is_some(),
        "eligible" | "start" | "end" => missing || field::date(value).is_some() || value == b"None",
        "state" => ending::meaning(value).is_some() && value.len() > 1,
        "elapsedraw" | "nnodes" | "ncpus" | "priority" | "cputimeraw" => {
            missing || field::count(value).is_some()
        }
        "elapsed" => missing || clock(value).is_some(),
        "reqtres" | "alloctres" => missing || is_list(value),
        _ => true,
    }
}

/// Whether a value is one list of resources: each with its count, in the order of their names, as Slurm prints them.
fn is_list(value: &[u8]) -> bool {
    let names = value
        .split(|byte| *byte == b',')
        .map(|item| item.splitn(2, |byte| *byte == b'=').collect::<Vec<_>>());
    let names: Vec<_> = names.collect();
    names.iter().all(|pair| pair.len() == 2) && names.windows(2).all(|two| two[0][0] < two[1][0])
}
