module @packed_dot_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x37xf32>, %arg1: tensor<2x37x64xf32>) -> (tensor<5x70xf32>) {
    %0 = stablehlo.transpose %arg1, dims = [0, 2, 1] : (tensor<2x37x64xf32>) -> tensor<2x64x37xf32>
    %1 = stablehlo.reshape %0 : (tensor<2x64x37xf32>) -> tensor<128x37xf32>
    %2 = stablehlo.slice %1 [0:70, 0:37] : (tensor<128x37xf32>) -> tensor<70x37xf32>
    %3 = stablehlo.dot_general %arg0, %2, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<5x37xf32>, tensor<70x37xf32>) -> tensor<5x70xf32>
    return %3 : tensor<5x70xf32>
  }
}
