import ArgumentParser

@main
struct Lastmile: ParsableCommand {}
