module @index_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3x4xf32>, %arg1: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x3x4xf32>) {
    %0 = stablehlo.slice %arg0 [0:2, 2:3, 0:4] : (tensor<2x3x4xf32>) -> tensor<2x1x4xf32>
    %1 = stablehlo.reshape %0 : (tensor<2x1x4xf32>) -> tensor<2x4xf32>
    %2 = stablehlo.reshape %arg1 : (tensor<2x4xf32>) -> tensor<2x1x4xf32>
    %3 = stablehlo.constant dense<0.0> : tensor<f32>
    %4 = stablehlo.pad %2, %3, low = [0, 2, 0], high = [0, 0, 0], interior = [0, 0, 0] : (tensor<2x1x4xf32>, tensor<f32>) -> tensor<2x3x4xf32>
    return %1, %4 : tensor<2x4xf32>, tensor<2x3x4xf32>
  }
}
