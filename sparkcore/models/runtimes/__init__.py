"""What computes with a frozen graph: OpenVINO on CPUs, TensorFlow on GPUs."""
