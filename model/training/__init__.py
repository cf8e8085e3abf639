"""Training: continued pre-training, SFT and GRPO on TRL's own trainers."""
