"""What would I have saved? Recorded sessions through the same decision core as the live proxy."""
