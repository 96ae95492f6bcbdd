"""What policies mean, without anything that waits: whose a policy is, which errors it is for, what is wrong with it."""
