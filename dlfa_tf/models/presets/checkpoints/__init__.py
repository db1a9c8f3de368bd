"""Encoders as other programs write them: Hugging Face's, Google's.

folder: what form a folder or an archive has.
config: sizes and activation, from `config.json` or `bert_config.json`.
tensors: the tensors of safetensors files and of TensorFlow's checkpoints.
weights: which tensor is which weight of a keras-hub encoder.
vocabulary: the tokenizer, from any of the files that hold one.
"""
