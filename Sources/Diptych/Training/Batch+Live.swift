import CDiptychPlatform

// A wide layer's step with its live inputs alone, and the updates that the others miss.

extension Batch {
    /// Adam's alone: SGD has no kernel to make up for steps. An average must see every step of the weights, a test every gradient.
    var mayPutOff: Bool { optimizer.kind == .adam && average == nil && gradientCapture == nil }

    /// The live inputs of a few images, and the updates that a few panels' weights have missed.
    func gatherLive(_ item: Int) {
        guard let live else { return }
        let rows = LiveInputs.share(2 * count, item)
        live.gather(rows, of: forward.denseInput(1))
        live.listRows(rows)
        catchUp(item)
    }

    func catchUp(_ item: Int) {
        guard let live else { return }
        live.catchUp(LiveInputs.share(live.layer.panels, item), optimizer, model.parameters.pointer)
    }

    func listGradient(_ item: Int) {
        guard let live else { return }
        let gradient = gradients.pointer + layout.outputs[1]
        live.listGradient(rows: LiveInputs.share(2 * count, item), gradient)
        live.listGradient(panels: LiveInputs.share(live.layer.panels, item), rows: 2 * count, gradient)
    }

    /// The gradients of a few live inputs and of their weights, and these weights' update while they are in the cache.
    func liveBackward(_ item: Int, _ thread: Int) {
        guard let live else { return }
        let layer = live.layer, backward = backward, rows = 2 * count
        // Every other step the other way within a thread's share: it begins with the moments (and weights, unless they are streamed) that the
        // last one has left in the thread's cache.
        let share = max(1, live.mostGroups / threads), place = item % share
        let item = dropout.step % 2 == 0 ? item : item - place + (share - 1 - place)
        for group in LiveInputs.share(live.groups, item, of: live.mostGroups) {
            let panels = live.panels(ofGroup: group), first = 16 * panels.lowerBound
            let inputGradient = scratch(thread), scratch = inputGradient + rows * 16 * panels.count
            backward.dense(1, live: live, rows: rows, panels: panels, into: inputGradient, scratch: scratch)
            live.listInputGradient(panels: panels, rows: rows, inputGradient)
            let lines = min(16 * panels.count, live.count - first)
            for panel in 0 ..< layer.panels {
                let weights = layer.weights.0 + 16 * panel * layer.inputs
                backward.weights(live, rows: rows, panel: panel, inputs: panels, scratch: scratch)
                if live.count == layer.inputs {
                    apply(offset: weights + 16 * first, count: 16 * lines, scratch)
                } else {
                    optimizer.apply(offset: weights, places: live.places + first, count: lines,
                                    next: panel + 1 < layer.panels ? 16 * layer.inputs : 0, gradient: scratch,
                                    parameters: model.parameters.pointer)
                }
            }
        }
    }

    /// Makes up for all updates that were put off: to be called before anybody else looks at the weights.
    func settle(on pool: WorkerPool) {
        live?.listLate(steps: optimizer.done)
        do throws(DiptychError) {
            try run(settling, on: pool)
        } catch {
            // The system has no threads any more: this one can do it alone.
            for stage in settling {
                for item in 0 ..< LiveInputs.items { run(stage.work[0], item, 0) }
            }
        }
        optimizer.forget()
    }
}
