"""What is wrong with a measurement y, seen from y alone: noise, blur, compression, enlargement."""
