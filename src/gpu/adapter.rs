use super::guard::guarded;
use super::{Adapter, Error, Kind, Wish};
use pollster::block_on;
use wgpu::{Backends, DeviceType, Instance, InstanceDescriptor, InstanceFlags, Limits};

/// An adapter and wgpu's handle to it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) adapter: Adapter,
    pub(super) handle: wgpu::Adapter,
}

/// What every shader of this crate keeps to: WebGPU's own defaults, which every modern device reaches.
pub(super) const fn limits() -> Limits {
    Limits::defaults()
}

/// Every adapter there is, real GPUs before software, otherwise as the drivers list them.
pub(super) fn found() -> Result<Vec<Found>, Error> {
    let ask = || {
        let descriptor = InstanceDescriptor {
            flags: InstanceFlags::empty(),
            ..InstanceDescriptor::new_without_display_handle()
        };
        block_on(Instance::new(descriptor).enumerate_adapters(Backends::all()))
    };
    let unusable = |reason| Error::Unusable { adapter: "the graphics driver".to_owned(), reason };
    let handles = guarded(ask).map_err(unusable)?;
    let mut found: Vec<Found> = handles.into_iter().map(described).collect();
    found.sort_by_key(|found| found.adapter.kind);
    Ok(found)
}

/// The adapter that a wish means.
pub(super) fn wanted(wish: &Wish) -> Result<Found, Error> {
    let found = found()?;
    let Wish::Named(name) = wish else {
        return found.into_iter().next().ok_or(Error::NoAdapter);
    };
    let given = name.to_lowercase();
    let known = found.iter().map(|found| found.adapter.name.clone()).collect();
    let meant = found.into_iter().find(|found| found.adapter.name.to_lowercase().contains(&given));
    meant.ok_or_else(|| Error::Unknown { name: name.clone(), known })
}

fn described(handle: wgpu::Adapter) -> Found {
    let info = handle.get_info();
    let has = handle.limits();
    let kind = match info.device_type {
        DeviceType::DiscreteGpu => Kind::Discrete,
        DeviceType::IntegratedGpu => Kind::Integrated,
        DeviceType::VirtualGpu => Kind::Virtual,
        DeviceType::Other => Kind::Unknown,
        DeviceType::Cpu => Kind::Software,
    };
    let words = [info.backend.to_str(), info.driver.as_str(), info.driver_info.as_str()];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let mut lacks = None;
    limits().check_limits_with_fail_fn(&has, true, |limit, wanted, has| {
        lacks = Some(format!("`{limit}` is {has}, below the {wanted} of every WebGPU device"));
    });
    let adapter = Adapter {
        name: info.name,
        kind,
        driver: words.join(", "),
        binding: has.max_storage_buffer_binding_size,
        shared: has.max_compute_workgroup_storage_size,
        threads: has.max_compute_invocations_per_workgroup,
        workgroups: has.max_compute_workgroups_per_dimension,
        lacks,
    };
    Found { adapter, handle }
}
