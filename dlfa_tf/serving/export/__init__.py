"""From a task model to a SavedModel that the model server takes.

export_module: writes and checks an export.
served_forward: from features to logits, in few ops.
flat_blocks, flat_fusion, flat_layers: its parts on rows of two dimensions.
packed_weights: their weights in few variables.
signatures: its functions: raw strings in, named outputs out.
row_groups: rows of similar length together, in the graph.
kept_vocabulary: an export over the pieces of given texts.
metadata_file: what an export says of itself.
warmup: the requests that a server plays first.
lint: judges an export by every rule.
server_config: judges the files that a server is configured by.
lint_rules: the rules that need not run it.
served_ops: ops that the released server has.
served_graph: runs an export as the server does.
"""
