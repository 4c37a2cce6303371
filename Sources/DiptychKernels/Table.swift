import CDiptychPlatform

// This module's one door is a C function, declared in kernels.h: nobody imports the module, because Embedded Swift would
// compile imported functions again in the importing module, without this one's instruction set.

#if DIPTYCH_AVX512
@_cdecl("dp_kernels_avx512") public func dp_kernels_avx512() -> UnsafePointer<dp_kernels> { UnsafePointer(table) }
#elseif DIPTYCH_AVX2
private let name: StaticString = "avx2"
@_cdecl("dp_kernels_avx2") public func dp_kernels_avx2() -> UnsafePointer<dp_kernels> { UnsafePointer(table) }
#else
#if arch(arm64)
private let name: StaticString = "neon"
#else
private let name: StaticString = "baseline"
#endif
@_cdecl("dp_kernels_baseline") public func dp_kernels_baseline() -> UnsafePointer<dp_kernels> { UnsafePointer(table) }
#endif

nonisolated(unsafe) private let table: UnsafeMutablePointer<dp_kernels> = {
    let table = UnsafeMutablePointer<dp_kernels>.allocate(capacity: 1)
    table.initialize(to: makeTable())
    return table
}()

#if DIPTYCH_AVX512
/// AVX2's kernels, and in their place those that gain by wider vectors.
private func makeTable() -> dp_kernels {
    let name: StaticString = "avx512"
    var table = dp_kernels_avx2().pointee
    table.name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    table.sparse_percent = 35
    table.conv_first = { convolveFirst($0, $1, x: $2!, weights: $3!, bias: $4!, act: $5!) }
    table.conv_first_backward = {
        convolveFirstBackward($0, $1, x: $2!, act: $3!, gradient: $4!, weightGradient: $5!, biasGradient: $6!)
    }
    table.conv_pool = {
        convolvePool($0, count: $1, list: $2!, act: $3!, transformed: $4!, bias: $5!, pooled: $6!, choice: $7!, shared: $8, scratch: $9!)
    }
    table.conv_pool_backward = {
        convolvePoolBackward($0, $1, $2, act: $3!, weights: $4!, gradient: $5!, choice: $6!, weightGradient: $7!,
                             biasGradient: $8!, actGradient: $9!, scratch: $10!)
    }
    table.multiply = { multiply(rows: $0, panels: $1, depth: $2, a: $3!, aRow: $4, b: $5!, bPanel: $6, c: $7!, cRow: $8) }
    table.multiply_lists = {
        multiplyLists(count: $0, panels: $1, lists: $2, order: $3, b: $4!, bPanel: $5, c: $6!, cRow: $7, cPanel: $8, accumulate: $9)
    }
    table.adam = { adam(count: $0, update: $1, gradient: $2!, parameter: $3!, first: $4!, second: $5!) }
    table.adam_lines = { adamLines(count: $0, places: $1!, next: $2, update: $3, gradient: $4!, parameter: $5!, first: $6!, second: $7!) }
    table.adam_idle = {
        adamIdle(count: $0, places: $1!, done: $2!, steps: $3, updates: $4!, parameter: $5!, first: $6!, second: $7!)
    }
    return table
}
#else
private func makeTable() -> dp_kernels {
    dp_kernels(
        name: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
        sparse_percent: lanes == 8 ? 50 : 75,
        standardise: { standardise(rows: $0, width: $1, x: $2!, xRow: $3, mean: $4, scale: $5, target: $6!, targetRow: $7) },
        are_finite: { areFinite(count: $0, x: $1!) },
        conv_first: { convolveFirst($0, $1, x: $2!, weights: $3!, bias: $4!, act: $5!) },
        conv_first_backward: {
            convolveFirstBackward($0, $1, x: $2!, act: $3!, gradient: $4!, weightGradient: $5!, biasGradient: $6!)
        },
        winograd_weights: { winogradWeights(channels: $0, weights: $1!, transformed: $2!) },
        live_tiles: { liveTiles($0, x: $1!, background: $2, list: $3!) },
        conv_pool: {
            convolvePool($0, count: $1, list: $2!, act: $3!, transformed: $4!, bias: $5!, pooled: $6!, choice: $7!, shared: $8, scratch: $9!)
        },
        conv_pool_backward: {
            convolvePoolBackward($0, $1, $2, act: $3!, weights: $4!, gradient: $5!, choice: $6!, weightGradient: $7!,
                                 biasGradient: $8!, actGradient: $9!, scratch: $10!)
        },
        multiply: { multiply(rows: $0, panels: $1, depth: $2, a: $3!, aRow: $4, b: $5!, bPanel: $6, c: $7!, cRow: $8) },
        count_nonzeros: { countNonzeros(rows: $0, width: $1, x: $2!, xRow: $3) },
        live_columns: { liveColumns(rows: $0, width: $1, x: $2!, xRow: $3, live: $4!) },
        list_rows: { listRows(rows: $0, width: $1, x: $2!, xRow: $3, places: $4!, lists: $5) },
        list_columns: { listColumns(rows: $0, width: $1, x: $2!, xRow: $3, step: $4, lists: $5) },
        multiply_lists: {
            multiplyLists(count: $0, panels: $1, lists: $2, order: $3, b: $4!, bPanel: $5, c: $6!, cRow: $7, cPanel: $8, accumulate: $9)
        },
        transpose_panels: { transposePanels(panels: $0, weights: $1!, panelStride: $2, places: $3!, b: $4!) },
        bias_relu: { biasRelu(rows: $0, width: $1, bias: $2!, applyRelu: $3, c: $4!, cRow: $5) },
        relu_gradient: {
            reluGradient(rows: $0, width: $1, act: $2!, actRow: $3, scale: $4, gradient: $5!, gradientRow: $6)
        },
        sum_rows: { sumRows(rows: $0, width: $1, x: $2!, xRow: $3, sum: $4!) },
        dropout: { dropout(count: $0, first: $1, threshold: $2, scale: $3, x: $4!) },
        random_words: { randomWords(count: $0, first: $1, words: $2!) },
        adam: { adam(count: $0, update: $1, gradient: $2!, parameter: $3!, first: $4!, second: $5!) },
        adam_lines: { adamLines(count: $0, places: $1!, next: $2, update: $3, gradient: $4!, parameter: $5!, first: $6!, second: $7!) },
        adam_idle: {
            adamIdle(count: $0, places: $1!, done: $2!, steps: $3, updates: $4!, parameter: $5!, first: $6!, second: $7!)
        },
        sgd: { sgd(count: $0, update: $1, gradient: $2!, parameter: $3!, velocity: $4!) }
    )
}
#endif
