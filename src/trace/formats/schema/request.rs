//! What a line of a table asks for.

use super::Row;
use crate::trace::field;
use crate::trace::intake::Intake;
use crate::trace::key::Key;
use crate::units::Gpus;
use crate::workload::{PlatformSet, Request, Shape};

impl Row<'_> {
    /// Thousandths of what a key counts; none told is `otherwise`.
    fn milli(&self, key: Key, otherwise: u32, intake: &mut Intake<'_>) -> Option<u32> {
        let percent = self.reader.schema.percent;
        let expected = if percent { "percent of one" } else { "a number" };
        self.read(key, otherwise, expected, intake, |value, _| {
            if let Some(count) = field::count(value) {
                return count.checked_mul(if percent { 10 } else { 1000 });
            }
            thousandths(value, if percent { 10.0 } else { 1000.0 })
        })
    }

    pub(super) fn request(&self, intake: &mut Intake<'_>) -> Option<Request> {
        let schema = self.reader.schema;
        let pods = self.read(Key::Pods, 1, "a whole number of pods", intake, |value, _| {
            thousandths(value, 1.0).filter(|pods| *pods > 0)
        });
        let gpus = if let Some(each) = schema.gpus_each {
            Some(each * 1000)
        } else if self.place(Key::Gpus).is_some() {
            self.milli(Key::Gpus, 0, intake)
        } else {
            let each = self.milli(Key::PodGpus, 0, intake);
            let total = each.zip(pods).map(|(each, pods)| each.checked_mul(pods));
            if total == Some(None) {
                self.wrong(Key::PodGpus, "no more GPUs in all pods than can be counted", intake);
            }
            total.flatten()
        };
        let cpu = self.milli(Key::Cpu, 0, intake);
        let memory = self.read(Key::Memory, 0, "a number", intake, |value, _| {
            thousandths(value, f64::from(schema.mebibytes))
        });
        let partition = self.text(Key::Partition, "", intake);
        let platforms = self.text(Key::Platforms, "", intake);
        let (gpus, pods) = (gpus?, pods?);
        let gpus = self.counted(gpus, intake);
        let platforms = platforms?;
        let named = platforms.split([';', '|', ',']).map(str::trim).filter(|name| !name.is_empty());
        Some(Request {
            shape: shape(gpus, pods, intake),
            cpu_milli: cpu?,
            memory_mib: memory?,
            platforms: if platforms.is_empty() { PlatformSet::ALL } else { intake.platforms(named) },
            partition: partition
                .map(|name| if name.is_empty() { 0 } else { intake.builder.partition(name) })?,
            ..Request::gang(Gpus::ZERO)
        })
    }

    /// The GPUs that are meant, in thousandths: processors are some to a GPU.
    fn counted(&self, milli: u32, intake: &mut Intake<'_>) -> u32 {
        let milli = match self.reader.schema.processors {
            None => milli,
            Some(_) => {
                let gpus = milli.div_ceil(1000).div_ceil(intake.options.procs_per_gpu);
                gpus.min(Gpus::MAX_WHOLE) * 1000
            }
        };
        if milli == 0 {
            intake.notes.count("job", "without GPUs", 1);
        }
        milli
    }
}

/// A number times `unit`, rounded to the nearest whole.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
fn thousandths(value: &[u8], unit: f64) -> Option<u32> {
    field::decimal(value)?;
    let number: f64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    let scaled = (number * unit).round();
    (0.0..f64::from(u32::MAX)).contains(&scaled).then_some(scaled as u32)
}

/// GPUs split evenly among pods; where that does not go, as nodes have room.
fn shape(gpus_milli: u32, pods: u32, intake: &mut Intake<'_>) -> Shape {
    let right = |milli: u32| milli < 1000 || milli.is_multiple_of(1000);
    let each = gpus_milli / pods;
    if gpus_milli == 0 || pods > 1 && each * pods == gpus_milli && right(each) {
        return Shape::Pods { count: pods, gpus_milli_each: each };
    }
    if pods > 1 {
        intake.notes.count("job", "whose GPUs its pods do not share evenly: as nodes have room", 1);
    }
    if right(gpus_milli) {
        return Shape::Any { gpus_milli };
    }
    intake.notes.count("job", "with a share of several GPUs: rounded up to whole ones", 1);
    Shape::Any { gpus_milli: (gpus_milli / 1000 + 1).min(Gpus::MAX_WHOLE) * 1000 }
}
