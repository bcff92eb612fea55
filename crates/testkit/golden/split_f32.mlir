module @split_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3x4xf32>, %arg1: tensor<2x3x2x2xf32>) -> (tensor<2x3x2x2xf32>, tensor<2x3x4xf32>) {
    %0 = stablehlo.reshape %arg0 : (tensor<2x3x4xf32>) -> tensor<2x3x2x2xf32>
    %1 = stablehlo.reshape %arg1 : (tensor<2x3x2x2xf32>) -> tensor<2x3x4xf32>
    return %0, %1 : tensor<2x3x2x2xf32>, tensor<2x3x4xf32>
  }
}
