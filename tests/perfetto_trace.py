"""Decodes a Perfetto trace with Perfetto's own messages: `perfetto_trace.py TRACE`. Prints what is in it, as JSON.

Slices are matched as the viewer does: an end ends what began last on its track.
"""

import json
import pathlib
import sys

from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent


def value(annotation):
    """The value of an argument."""
    return getattr(annotation, annotation.WhichOneof("value"))


def main():
    trace = Trace()
    trace.ParseFromString(pathlib.Path(sys.argv[1]).read_bytes())
    tracks, open_slices, slices, counters, wrong, last = {}, {}, [], {}, [], 0
    for packet in trace.packet:
        if packet.HasField("track_descriptor"):
            tracks[packet.track_descriptor.uuid] = packet.track_descriptor
            continue
        event = packet.track_event
        if event.track_uuid not in tracks:
            wrong.append(f"track {event.track_uuid} is not described")
            continue
        if event.type == TrackEvent.TYPE_COUNTER:
            counters.setdefault(tracks[event.track_uuid].name, []).append([packet.timestamp, event.double_counter_value])
            continue
        if event.type == TrackEvent.TYPE_INSTANT:
            continue
        if packet.timestamp < last:
            wrong.append(f"time goes back to {packet.timestamp}")
        last = packet.timestamp
        stack = open_slices.setdefault(event.track_uuid, [])
        if event.type == TrackEvent.TYPE_SLICE_BEGIN:
            if stack:
                wrong.append(f"{event.name} begins within {stack[-1][1].name}")
            stack.append((packet.timestamp, event))
        elif not stack:
            wrong.append(f"nothing to end at {packet.timestamp}")
        else:
            begin, first = stack.pop()
            arguments = {annotation.name: value(annotation) for annotation in first.debug_annotations}
            slices.append((begin, packet.timestamp, first, arguments))
    wrong += [f"{stack[-1][1].name} never ends" for stack in open_slices.values() if stack]
    starts = {flow: (begin, first.name) for begin, _, first, _ in slices for flow in first.flow_ids}
    flows = []
    for begin, _, first, _ in slices:
        for flow in first.terminating_flow_ids:
            if flow not in starts or starts[flow][0] > begin:
                wrong.append(f"arrow {flow} has no beginning before its end")
            else:
                flows.append([starts[flow][1], first.name])
    processes = [track for track in tracks.values() if track.HasField("process")]
    threads = [track for track in tracks.values() if track.HasField("thread")]
    print(json.dumps({
        "wrong": wrong[:20],
        "processes": [track.process.process_name for track in processes],
        "threads": len(threads),
        "slices": len(slices),
        "jobs": len({first.name for _, _, first, _ in slices}),
        "gpu_seconds": sum((end - begin) / 1e9 * arguments["gpus_here"] for begin, end, _, arguments in slices),
        "flows": sorted(flows),
        "counters": counters,
    }))


if __name__ == "__main__":
    main()
