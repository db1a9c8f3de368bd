"""Many runs: which they are, how far they have come, and their work.

cells: the runs: tasks times systems times gates times seeds.
block_numbers: blocks that an encoder lacks, found before a start.
state: what is in the folder of each run, and the summary of all.
sweep: the runs at work, each in a process of its own.
"""
