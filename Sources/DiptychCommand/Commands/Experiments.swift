import ArgumentParser

struct Experiments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "The report's table and figures over rounds, and a search for hyper-parameters.",
        discussion: """
            EXAMPLES
              diptych experiment table1 --data mnist --rounds 10 --out table1.json
              diptych experiment curves --out curves.json
              diptych experiment loss-ratio --out loss-ratio.json
              diptych experiment grid --learning-rates 0.001,0.005

            Round r has the seed --seed + r: new weights, new pairs. Each finished run is
            stored in --out at once; Ctrl-C ends cleanly, and the same call with --resume
            goes on. As many runs go on at a time as --threads allows.
            """,
        subcommands: [Table1.self, Curves.self, LossRatio.self, Grid.self])
}
