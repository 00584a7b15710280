"""Networks: VGG features and their statistics, the generator, the discriminator."""
