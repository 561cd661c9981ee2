//! What columns are called in the wild, and what a header tells by its names and the user's map.

use super::key::{Key, TimeUnit};
use super::layout::{Layout, first_line};
use super::mapping::Mapping;
use super::{Head, field};
use crate::error::{Place, Problem};

/// Names of columns by what they tell, the plainest first. Case, blanks and `_` make no difference, and a unit may
/// follow (`duration_ms`).
///
/// ```
/// use gigawatt::trace::{Key, SYNONYMS};
/// let (_, names) = SYNONYMS.iter().find(|(key, _)| *key == Key::Gpus).unwrap();
/// assert!(names.contains(&"num_gpu") && !names.contains(&"ncpus"));
/// ```
pub const SYNONYMS: &[(Key, &[&str])] = &[
    (
        Key::Gpus,
        &[
            "gpus",
            "gpu",
            "num_gpu",
            "num_gpus",
            "gpu_num",
            "gpu_count",
            "n_gpus",
            "requested_gpus",
            "gpu_request",
            "num_replicas",
            "requested_number_of_resources",
        ],
    ),
    (
        Key::Pods,
        &[
            "pods",
            "num_pods",
            "replicas",
            "num_replicas",
            "num_nodes",
            "node_num",
            "nnodes",
            "worker_num",
            "num_workers",
        ],
    ),
    (Key::PodGpus, &["pod_gpus", "gpus_per_pod", "gpus_per_node", "gpus_per_replica", "gpus_per_task"]),
    (
        Key::SubmitTime,
        &[
            "submit_time",
            "submission_time",
            "submitted_time",
            "arrival_time",
            "submit",
            "submitted",
            "submitted_at",
            "arrival",
            "timestamp",
            "subtime",
            "time",
            "creation_time",
            "created_at",
        ],
    ),
    (Key::WaitTime, &["wait_time", "waiting_time", "queue_time"]),
    (Key::StartTime, &["start_time", "starting_time", "started_at", "start", "scheduled_time"]),
    (Key::EndTime, &["end_time", "finish_time", "finished_at", "completion_time", "end", "deletion_time"]),
    (
        Key::WorkTime,
        &[
            "work_time",
            "duration",
            "run_time",
            "running_time",
            "execution_time",
            "wall_time",
            "elapsed",
            "job_duration",
        ],
    ),
    (Key::RequestedTime, &["requested_time", "walltime", "timelimit", "time_limit", "estimated_time"]),
    (Key::Deadline, &["deadline"]),
    (Key::JobId, &["job_id", "id", "job_name", "name", "job", "uuid"]),
    (
        Key::Tenant,
        &[
            "tenant",
            "user",
            "user_id",
            "user_name",
            "vc",
            "virtual_cluster",
            "project",
            "account",
            "group",
            "queue",
            "organization",
        ],
    ),
    (Key::Partition, &["partition"]),
    (Key::State, &["state", "status", "job_state", "job_status"]),
    (Key::Priority, &["priority"]),
];

/// Units as names of columns end in them.
const SUFFIXES: &[(&str, TimeUnit)] = &[
    ("s", TimeUnit::Second),
    ("sec", TimeUnit::Second),
    ("secs", TimeUnit::Second),
    ("seconds", TimeUnit::Second),
    ("ms", TimeUnit::Millisecond),
    ("millis", TimeUnit::Millisecond),
    ("milliseconds", TimeUnit::Millisecond),
    ("us", TimeUnit::Microsecond),
    ("ns", TimeUnit::Nanosecond),
    ("min", TimeUnit::Minute),
    ("mins", TimeUnit::Minute),
    ("minutes", TimeUnit::Minute),
    ("h", TimeUnit::Hour),
    ("hours", TimeUnit::Hour),
    ("days", TimeUnit::Day),
];

/// Letters and digits alone, in lower case.
fn plain(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase())
}

fn alike(a: &str, b: &str) -> bool {
    plain(a).eq(plain(b))
}

/// The unit that a name ends in, and the name without it: `duration_ms`, `duration (ms)`.
fn suffix(name: &str) -> Option<(&str, TimeUnit)> {
    let name = name.trim_end_matches([')', ']']);
    let at = name.rfind(['_', '-', ' ', '(', '[', '.'])?;
    let (stem, last) = (name[..at].trim_end_matches(['_', '-', ' ', '(', '[', '.']), &name[at + 1..]);
    SUFFIXES.iter().find(|(known, _)| last.eq_ignore_ascii_case(known)).map(|(_, unit)| (stem, *unit))
}

/// Whether two names are the same but for case and what stands between words.
fn same(a: &str, b: &str) -> bool {
    let word = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    a.chars().map(word).eq(b.chars().map(word))
}

/// The place of a name among those of a key, and the unit it ends in.
fn rank(key: Key, names: &[&str], column: &str) -> Option<(usize, Option<TimeUnit>)> {
    // `walltime` is an estimate, `wall_time` is not: only names that are nobody's are read without their `_`.
    let place = |stem: &str| {
        let known = SYNONYMS.iter().any(|(_, names)| names.iter().any(|known| same(known, stem)));
        names.iter().position(|name| if known { same(name, stem) } else { alike(name, stem) })
    };
    let with_unit =
        || suffix(column).filter(|_| key.is_time()).and_then(|(stem, unit)| Some((place(stem)?, Some(unit))));
    place(column).map(|place| (place, None)).or_else(with_unit)
}

/// The columns that by their names may be what one that is missing is: those that tell the same of a job.
pub(super) fn meant<'c>(missing: &str, columns: &[&'c str]) -> Vec<&'c str> {
    let mut found = Vec::new();
    for (key, names) in SYNONYMS {
        if rank(*key, names, missing).is_some() || alike(key.name(), missing) {
            found.extend(columns.iter().copied().filter(|column| rank(*key, names, column).is_some()));
        }
    }
    found
}

/// A key, and the column that tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub key: Key,
    pub column: String,
    /// The unit that the name of the column ends in.
    pub unit: Option<TimeUnit>,
    /// Whether the user said so.
    pub mapped: bool,
}

/// What a header tells of a job.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub columns: Vec<String>,
    pub told: Vec<Told>,
    /// Columns passed over for one that tells the same.
    pub passed: Vec<(Key, String)>,
    /// Keys that several columns may tell.
    ambiguous: Vec<(Key, Vec<String>)>,
    /// Columns that the user named and that are not there.
    absent: Vec<(Key, String)>,
    /// Keys that no column tells, without which nothing can be read.
    missing: Vec<Key>,
    /// Columns that tell something and stand twice.
    twice: Vec<String>,
}

/// The keys without which nothing can be read, of those that nothing tells.
pub(super) fn missing(told: impl Fn(Key) -> bool) -> Vec<Key> {
    let between = told(Key::EndTime) && (told(Key::StartTime) || told(Key::WaitTime));
    let needed = [
        (Key::Gpus, told(Key::Gpus) || told(Key::Pods) && told(Key::PodGpus)),
        (Key::SubmitTime, told(Key::SubmitTime)),
        (Key::WorkTime, told(Key::WorkTime) || between),
    ];
    needed.into_iter().filter(|(_, told)| !told).map(|(key, _)| key).collect()
}

/// Whether one of several columns may not simply be taken for a key.
const fn is_strict(key: Key) -> bool {
    matches!(key, Key::Gpus | Key::SubmitTime | Key::WorkTime | Key::RequestedTime)
}

impl Header {
    /// What the header of a text tells; none if it is not one of a table.
    pub(super) fn of(text: &[u8], map: &Mapping) -> Option<(Layout, Self)> {
        let named: Vec<&str> = map.fields.iter().map(|(_, column)| column.as_str()).collect();
        let layout = Layout::guess(text, &named);
        let columns = if map.columns.is_empty() {
            layout.as_ref()?.names(first_line(text))
        } else {
            map.columns.iter().map(|name| name.trim().to_owned()).collect()
        };
        let begins =
            |name: &String| name.chars().next().is_none_or(|first| first.is_alphabetic() || first == '_');
        if columns.len() < 2 || map.columns.is_empty() && !columns.iter().all(begins) {
            return None;
        }
        let layout = layout.unwrap_or(Layout::Delimited(b','));
        let header = Self { columns, ..Self::default() }.resolved(map);
        // Any sentence is words between blanks.
        let is_sentence = layout == Layout::Words && map.fields.is_empty() && header.told.len() < 2;
        (!is_sentence).then_some((layout, header))
    }

    /// Whether it tells all that is needed, without a doubt.
    pub(super) const fn is_whole(&self) -> bool {
        self.ambiguous.is_empty()
            && self.absent.is_empty()
            && self.missing.is_empty()
            && self.twice.is_empty()
    }
    /// Whether something can be read of it once doubts are settled.
    pub(super) const fn is_enough(&self) -> bool {
        self.missing.is_empty()
    }

    fn resolved(mut self, map: &Mapping) -> Self {
        for (key, column) in &map.fields {
            let exact = self.columns.iter().find(|known| *known == column);
            match exact.or_else(|| self.columns.iter().find(|known| known.eq_ignore_ascii_case(column))) {
                Some(known) => {
                    let unit = suffix(known).filter(|_| key.is_time()).map(|(_, unit)| unit);
                    self.told.push(Told { key: *key, column: known.clone(), unit, mapped: true });
                }
                None => self.absent.push((*key, column.clone())),
            }
        }
        let proposed: Vec<(Key, Vec<Told>)> =
            SYNONYMS.iter().map(|(key, names)| (*key, self.proposals(*key, names, map))).collect();
        let of =
            |key: Key| proposed.iter().find(|(known, _)| *known == key).map_or(&[][..], |(_, found)| found);
        // Replicas are pods where their GPUs are told.
        let are_pods = |column: &str| of(Key::Pods).iter().any(|pods| pods.column == column);
        let of_pods = map.field(Key::PodGpus).is_some() || !of(Key::PodGpus).is_empty();
        for (key, found) in &proposed {
            let found: Vec<&Told> = found
                .iter()
                .filter(|told| *key != Key::Gpus || !of_pods || !are_pods(&told.column))
                .collect();
            let in_pods = matches!(key, Key::Pods | Key::PodGpus);
            if in_pods && self.tells(Key::Gpus) {
                continue;
            }
            match found[..] {
                [] => {}
                [first, ref others @ ..] if others.is_empty() || !is_strict(*key) => {
                    self.told.push(first.clone());
                    self.passed.extend(others.iter().map(|told| (*key, told.column.clone())));
                }
                _ => self.ambiguous.push((*key, found.iter().map(|told| told.column.clone()).collect())),
            }
        }
        self.missing = missing(|key| self.tells(key));
        let count = |name: &String| self.columns.iter().filter(|column| *column == name).count();
        self.twice =
            self.told.iter().map(|told| told.column.clone()).filter(|name| count(name) > 1).collect();
        self.twice.dedup();
        self
    }

    /// The columns that may tell a key, the plainest name first; none if the user says which it is.
    fn proposals(&self, key: Key, names: &[&str], map: &Mapping) -> Vec<Told> {
        if map.field(key).is_some() {
            return Vec::new();
        }
        let free = self.columns.iter().filter(|column| !self.told.iter().any(|told| told.column == **column));
        let mut found: Vec<(usize, Told)> = free
            .filter_map(|column| {
                let (place, unit) = rank(key, names, column)?;
                Some((place, Told { key, column: column.clone(), unit, mapped: false }))
            })
            .collect();
        found.sort_by_key(|(place, _)| *place);
        found.dedup_by(|next, kept| next.1.column == kept.1.column);
        found.into_iter().map(|(_, told)| told).collect()
    }

    /// Whether any column tells a key, or several may.
    fn tells(&self, key: Key) -> bool {
        self.told.iter().any(|told| told.key == key)
            || self.ambiguous.iter().any(|(known, _)| *known == key)
            || self.absent.iter().any(|(known, _)| *known == key)
    }

    /// What is wrong with it, and what to type.
    pub(super) fn problem(&self, file: &str, head: &Head<'_>) -> Problem {
        let mut wrong: Vec<String> = self
            .absent
            .iter()
            .map(|(key, column)| format!("no column `{column}` for {}", key.name()))
            .collect();
        for (key, columns) in &self.ambiguous {
            let columns: Vec<_> = columns.iter().map(|column| format!("`{column}`")).collect();
            wrong.push(format!("{} may be {}", key.name(), columns.join(" or ")));
        }
        wrong.extend(self.twice.iter().map(|name| format!("column `{name}` stands twice in the header")));
        if !self.missing.is_empty() {
            let keys: Vec<_> = self.missing.iter().map(|key| key.name()).collect();
            wrong.push(format!("no column is known to tell {}", keys.join(", ")));
        }
        let problem = Problem::new(wrong.join("; "));
        let place = if head.map.columns.is_empty() { head.place(file) } else { Place::file(file) };
        let columns = self.columns.join(", ");
        problem
            .at(place)
            .hint(format!("say which column is what: `{}`; its columns are {columns}", self.command(file)))
    }

    /// A command with all that is known of its columns, and `?` for what is not.
    fn command(&self, file: &str) -> String {
        let known =
            self.told.iter().filter(|told| told.mapped || !matches!(told.key, Key::Pods | Key::PodGpus));
        let mut pairs: Vec<(Key, &str)> = known.map(|told| (told.key, told.column.as_str())).collect();
        pairs.extend(self.ambiguous.iter().map(|(key, columns)| (*key, columns[0].as_str())));
        pairs.extend(
            self.absent.iter().map(|(key, _)| *key).chain(self.missing.iter().copied()).map(|key| (key, "?")),
        );
        pairs.sort_by_key(|(key, _)| *key);
        let pairs: Vec<_> = pairs.iter().map(|(key, column)| format!("{}={column}", key.name())).collect();
        let pairs = pairs.join(",");
        let quote = if pairs.contains([' ', '(', '[', '?', '$']) { "'" } else { "" };
        format!("gigawatt inspect {file} --map {quote}{pairs}{quote}")
    }
}

/// What to say of an input that no format recognises, if it is a table.
pub(super) fn unknown(file: &str, head: &Head<'_>) -> Option<Problem> {
    match Header::of(head.bytes, head.map) {
        Some((_, header)) => Some(header.problem(file, head)),
        None => headless(file, head),
    }
}

/// What to say of lines of fields that have no header above them.
fn headless(file: &str, head: &Head<'_>) -> Option<Problem> {
    let (_, line) = head.first_line();
    let layout = Layout::guess(head.bytes, &[])?;
    let fields = layout.names(line);
    let numbers = fields.iter().filter(|text| field::decimal(text.as_bytes()).is_some()).count();
    if fields.len() < 3 || numbers < 2 {
        return None;
    }
    let problem = Problem::new(format!("a table without a header, of {} columns", fields.len()));
    Some(problem.at(head.place(file)).hint(
        "name them all: `--columns job_id,gpus,submit_time,work_time,...`, and `-` for what is not to be read",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(header: &str, map: &Mapping) -> Vec<String> {
        let (_, header) = Header::of(header.as_bytes(), map).unwrap();
        header.told.iter().map(|told| format!("{}={}", told.key.name(), told.column)).collect()
    }

    #[test]
    fn columns_are_known_by_the_names_of_the_wild() {
        for (header, expected) in [
            ("num_gpu,arrival_time,duration\n", "gpus=num_gpu submit_time=arrival_time work_time=duration"),
            ("Num GPUs;Submit Time;RunTime\n", "gpus=Num GPUs submit_time=Submit Time work_time=RunTime"),
            (
                "gpus\ttime\tduration_ms\tuser\tvc\n",
                "gpus=gpus submit_time=time work_time=duration_ms tenant=user",
            ),
            (
                "num_replicas,gpus_per_replica,submit,start_time,end_time\n",
                "pods=num_replicas pod_gpus=gpus_per_replica submit_time=submit start_time=start_time end_time=end_time",
            ),
            (
                "id,requested_number_of_resources,subtime,execution_time,walltime\n",
                "gpus=requested_number_of_resources submit_time=subtime work_time=execution_time \
                 requested_time=walltime job_id=id",
            ),
        ] {
            assert_eq!(told(header, Mapping::NONE).join(" "), expected, "{header}");
        }
    }

    #[test]
    fn a_unit_may_follow_a_name() {
        assert_eq!(suffix("duration_ms"), Some(("duration", TimeUnit::Millisecond)), "after a line");
        assert_eq!(suffix("Run Time (hours)"), Some(("Run Time", TimeUnit::Hour)), "in brackets");
        assert_eq!((suffix("gpus"), suffix("submit_time")), (None, None), "no unit");
    }

    #[test]
    fn what_is_meant_tells_the_same() {
        assert_eq!(meant("gpus", &["ncpus", "num_gpu", "gups"]), ["num_gpu"], "CPUs are no GPUs");
        assert_eq!(meant("memory", &["mem"]), [""; 0], "nothing is known of it");
    }

    #[test]
    fn doubts_are_told_with_a_command_to_copy() {
        for (header, map, pieces) in [
            (
                "gpus,num_gpus,submit_time,duration\n",
                Mapping::default(),
                [
                    "gpus may be `gpus` or `num_gpus`",
                    "--map gpus=gpus,submit_time=submit_time,work_time=duration`",
                ],
            ),
            (
                "a,b,duration\n",
                Mapping::default(),
                [
                    "no column is known to tell gpus, submit_time",
                    "inspect t.csv --map 'gpus=?,submit_time=?,work_time=duration'`",
                ],
            ),
            (
                "num_gpus,submit_time,duration\n",
                Mapping { fields: vec![(Key::Gpus, "cards".to_owned())], ..Mapping::default() },
                ["no column `cards` for gpus", "its columns are num_gpus, submit_time, duration"],
            ),
        ] {
            let head = Head { map: &map, ..Head::new(header.as_bytes()) };
            let told = crate::error::Problems::from(unknown("t.csv", &head).unwrap()).to_string();
            for piece in pieces {
                assert!(told.replace("\n          ", " ").contains(piece), "{piece} is missing in\n{told}");
            }
        }
        let numbers = b"7,8,0,60.5,x\n";
        let told = crate::error::Problems::from(unknown("t.csv", &Head::new(numbers)).unwrap()).to_string();
        assert!(told.contains("without a header, of 5 columns") && told.contains("--columns"), "{told}");
        for text in ["", "no table at all\n", "1,2,3\n", "{\"a\": 1, \"b\": 2}\n", "[1,2]\n"] {
            assert!(Header::of(text.as_bytes(), Mapping::NONE).is_none(), "{text:?} is no header");
        }
    }
}
