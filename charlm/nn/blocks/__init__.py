"""The recurrent blocks, one file each; ``charlm.nn.registry`` lists them, ``charlm.nn.block`` says what a block is."""
