//! The notations of Slurm: states, times, and lists of trackable resources (TRES).

use crate::trace::field;
use crate::units::Gpus;

/// What a state means for a simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Completed,
    Failed,
    /// Ended by a limit or a preemption, not of itself.
    Stopped,
    Cancelled,
    Running,
    Pending,
}

impl State {
    /// The state, whatever follows it (`CANCELLED by 1000`, `CANCELLED+`).
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let word = bytes.split(|byte| *byte == b' ').next().unwrap_or_default();
        Some(match word.strip_suffix(b"+").unwrap_or(word) {
            b"COMPLETED" | b"CD" => Self::Completed,
            b"FAILED" | b"F" | b"NODE_FAIL" | b"NF" | b"OUT_OF_MEMORY" | b"OUT_OF_ME" | b"OOM"
            | b"BOOT_FAIL" | b"BF" | b"DEADLINE" | b"DL" | b"LAUNCH_FAILED" | b"RECONFIG_FAIL" => {
                Self::Failed
            }
            b"TIMEOUT" | b"TO" | b"PREEMPTED" | b"PR" | b"REQUEUED" | b"RQ" | b"REVOKED" | b"RV"
            | b"SUSPENDED" | b"S" | b"STOPPED" => Self::Stopped,
            b"CANCELLED" | b"CA" => Self::Cancelled,
            b"RUNNING" | b"R" | b"RESIZING" | b"RS" | b"COMPLETING" | b"CG" | b"STAGE_OUT" | b"SIGNALING" => {
                Self::Running
            }
            b"PENDING" | b"PD" | b"CONFIGURING" | b"CF" | b"REQUEUE_HOLD" | b"REQUEUE_FED"
            | b"SPECIAL_EXIT" | b"RESV_DEL_HOLD" => Self::Pending,
            _ => return None,
        })
    }
}

/// `[days-]hours:minutes:seconds`, `minutes:seconds`, fractions rounded up.
pub(super) fn clock(bytes: &[u8]) -> Option<u32> {
    let (days, rest) = match bytes.iter().position(|byte| *byte == b'-') {
        Some(dash) => (field::unsigned(&bytes[..dash])?, &bytes[dash + 1..]),
        None => (0, bytes),
    };
    let mut parts = rest.split(|byte| *byte == b':').rev();
    let seconds = field::decimal(parts.next()?)?.ceil();
    let mut more = || parts.next().map_or(Some(0), field::unsigned);
    let (minutes, hours) = (more()?, more()?);
    if rest.len() == bytes.len() && !rest.contains(&b':') || parts.next().is_some() {
        return None;
    }
    let total = days.checked_mul(86_400)?.checked_add(hours.checked_mul(3600)?)?;
    u32::try_from(total.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)?)
        .ok()
        .filter(|t| *t < u32::MAX)
}

/// Whole seconds, short of for ever.
pub(super) fn seconds(bytes: &[u8]) -> Option<u32> {
    field::count(bytes).filter(|time| *time < u32::MAX)
}

/// Whether a limit says that there is none.
fn unlimited(bytes: &[u8]) -> bool {
    [b"UNLIMITED".as_slice(), b"Partition_Limit", b"INFINITE"].contains(&bytes)
}

/// A limit in minutes as seconds; 0 where there is none.
pub(super) fn minutes(bytes: &[u8]) -> Option<u32> {
    if unlimited(bytes) {
        Some(0)
    } else {
        field::count(bytes)?.checked_mul(60).filter(|time| *time < u32::MAX)
    }
}

/// A limit as a clock shows it; 0 where there is none.
pub(super) fn limit(bytes: &[u8]) -> Option<u32> {
    if unlimited(bytes) { Some(0) } else { clock(bytes) }
}

/// Resources: `billing=64,cpu=64,gres/gpu:h100=8,gres/gpu=8,mem=1T,node=2`, or the older `gpu:h100:8`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tres {
    pub gpus: Option<u32>,
    pub gpu_type: Option<String>,
    pub cpus: Option<u32>,
    pub memory_mib: Option<u32>,
    pub nodes: Option<u32>,
}

impl Tres {
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut tres = Self::default();
        let (mut any_type, mut by_type) = (None, None::<u32>);
        for item in bytes.split(|byte| *byte == b',').filter(|item| !item.is_empty()) {
            let (name, value) = match item.iter().position(|byte| *byte == b'=') {
                Some(equals) => (&item[..equals], &item[equals + 1..]),
                None => split_gres(item)?,
            };
            let name = name.strip_prefix(b"gres/").unwrap_or(name);
            match name {
                b"cpu" => tres.cpus = Some(field::count(value)?),
                b"node" => tres.nodes = Some(field::count(value)?.min(1_000_000)),
                b"mem" => tres.memory_mib = Some(memory_mib(value)?),
                b"gpu" => any_type = Some(gpus(value)?),
                [b'g', b'p', b'u', b':', kind @ ..] => {
                    by_type = Some(by_type.unwrap_or(0).checked_add(gpus(value)?)?);
                    tres.gpu_type = String::from_utf8(kind.to_vec()).ok();
                }
                _ => {}
            }
        }
        tres.gpus = any_type.or(by_type).filter(|gpus| *gpus <= Gpus::MAX_WHOLE);
        let too_many = any_type.or(by_type).is_some_and(|gpus| gpus > Gpus::MAX_WHOLE);
        (!too_many).then_some(tres)
    }
    /// These, and of the others what these do not say.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            gpus: self.gpus.or(other.gpus),
            gpu_type: self.gpu_type.or(other.gpu_type),
            cpus: self.cpus.or(other.cpus),
            memory_mib: self.memory_mib.or(other.memory_mib),
            nodes: self.nodes.or(other.nodes),
        }
    }
}

fn gpus(value: &[u8]) -> Option<u32> {
    field::count(value).filter(|gpus| *gpus <= Gpus::MAX_WHOLE)
}

/// `gpu:8`, `gpu:h100:8`, `gpu:h100:8(S:0-1)`, `gpu`: name and count.
fn split_gres(item: &[u8]) -> Option<(&[u8], &[u8])> {
    let item = item.split(|byte| *byte == b'(').next().unwrap_or_default();
    match item.iter().rposition(|byte| *byte == b':') {
        Some(colon) => field::count(&item[colon + 1..]).map(|_| (&item[..colon], &item[colon + 1..])),
        None => Some((item, b"1")),
    }
}

/// `1024`, `64G`, `1.50T`, `500Mn`: MiB, rounded up; without a unit MiB.
fn memory_mib(value: &[u8]) -> Option<u32> {
    let value = value.strip_suffix(b"n").or(value.strip_suffix(b"c")).unwrap_or(value);
    let (digits, kib) = match value.split_last()? {
        (b'K', digits) => (digits, 1),
        (b'M', digits) => (digits, 1 << 10),
        (b'G', digits) => (digits, 1 << 20),
        (b'T', digits) => (digits, 1 << 30),
        (b'P', digits) => (digits, 1 << 40),
        _ => (value, 1_u64 << 10),
    };
    let (whole, fraction) = match digits.iter().position(|byte| *byte == b'.') {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, b"".as_slice()),
    };
    let hundredths = match *fraction {
        [] => 0,
        [tenths] => field::unsigned(&[tenths])? * 10,
        [tenths, hundredths, ..] => field::unsigned(&[tenths, hundredths])?,
    };
    let kib =
        field::unsigned(whole)?.checked_mul(100)?.checked_add(hundredths)?.checked_mul(kib)?.div_ceil(100);
    u32::try_from(kib.div_ceil(1024)).ok().filter(|mib| *mib < u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_and_limits_are_read_as_slurm_writes_them() {
        for (text, seconds) in [
            ("00:00:05", Some(5)),
            ("01:02:03", Some(3723)),
            ("7-00:00:00", Some(604_800)),
            ("05:30", Some(330)),
            ("05:30.5", Some(331)),
            ("", None),
            ("5", None),
            ("1:2:3:4", None),
            ("x", None),
            ("99999-00:00:00", None),
        ] {
            assert_eq!(clock(text.as_bytes()), seconds, "{text}");
        }
        assert_eq!(
            (minutes(b"60"), minutes(b"UNLIMITED"), minutes(b"-1")),
            (Some(3600), Some(0), None),
            "minutes"
        );
        assert_eq!((limit(b"1-00:00:00"), limit(b"Partition_Limit")), (Some(86_400), Some(0)), "limits");
    }

    #[test]
    fn resources_are_read_in_every_notation() {
        let gpus = |text: &str| Tres::from_bytes(text.as_bytes()).map(|tres| (tres.gpus, tres.gpu_type));
        let h100 = || Some("h100".to_owned());
        for (text, expected) in [
            ("", Some((None, None))),
            ("cpu=1,node=1", Some((None, None))),
            ("gres/gpu=8", Some((Some(8), None))),
            ("gres/gpu:h100=8,gres/gpu=8", Some((Some(8), h100()))),
            ("gres/gpu:h100=4,gres/gpu:h100=4", Some((Some(8), h100()))),
            ("gpu:8", Some((Some(8), None))),
            ("gpu:h100:2(S:0-1)", Some((Some(2), h100()))),
            ("gpu", Some((Some(1), None))),
            ("gres/gpu=-1", None),
            ("gres/gpu=99999999", None),
        ] {
            assert_eq!(gpus(text), expected, "{text}");
        }
        for (text, mib) in [
            ("mem=64G", 65_536),
            ("mem=1.5T", 1_572_864),
            ("mem=500M", 500),
            ("mem=1K", 1),
            ("mem=7", 7),
            ("mem=4Gn", 4096),
        ] {
            assert_eq!(Tres::from_bytes(text.as_bytes()).unwrap().memory_mib, Some(mib), "{text}");
        }
    }

    #[test]
    fn states_are_known_by_word_and_letters() {
        for (text, state) in [
            ("CANCELLED by 1000", Some(State::Cancelled)),
            ("CANCELLED+", Some(State::Cancelled)),
            ("COMPLETED", Some(State::Completed)),
            ("OUT_OF_ME+", Some(State::Failed)),
            ("PD", Some(State::Pending)),
            ("", None),
            ("completed", None),
        ] {
            assert_eq!(State::from_bytes(text.as_bytes()), state, "{text}");
        }
    }
}
