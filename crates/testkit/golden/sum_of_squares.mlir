module @sum_of_squares attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x35xf32>, %arg1: tensor<f32>) -> (tensor<f32>, tensor<6x35xf32>) {
    %0 = stablehlo.reshape %arg0 : (tensor<6x35xf32>) -> tensor<5x42xf32>
    %1 = stablehlo.multiply %0, %0 : tensor<5x42xf32>
    %2 = stablehlo.reshape %1 : (tensor<5x42xf32>) -> tensor<1x5x42xf32>
    %3 = stablehlo.constant dense<0.0> : tensor<f32>
    %4 = stablehlo.reduce(%2 init: %3) applies stablehlo.add across dimensions = [1] : (tensor<1x5x42xf32>, tensor<f32>) -> tensor<1x42xf32>
    %5 = stablehlo.constant dense<0.0> : tensor<f32>
    %6 = stablehlo.reduce(%4 init: %5) applies stablehlo.add across dimensions = [0] : (tensor<1x42xf32>, tensor<f32>) -> tensor<42xf32>
    %7 = stablehlo.constant dense<0.0> : tensor<f32>
    %8 = stablehlo.reduce(%6 init: %7) applies stablehlo.add across dimensions = [0] : (tensor<42xf32>, tensor<f32>) -> tensor<f32>
    %9 = stablehlo.constant dense<2.0> : tensor<f32>
    %10 = stablehlo.multiply %arg1, %9 : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<6x35xf32>
    %12 = stablehlo.multiply %arg0, %11 : tensor<6x35xf32>
    return %8, %12 : tensor<f32>, tensor<6x35xf32>
  }
}
