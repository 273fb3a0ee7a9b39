"""The servers that a stack runs, each as a process of this machine."""
